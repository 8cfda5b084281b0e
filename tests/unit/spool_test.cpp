// The journal on disk: order, bounds, full disks, who may use it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "libs/base/random.h"
#include "libs/spool/internal/crc32c.h"
#include "libs/spool/internal/entry.h"
#include "tests/support/journals.h"

namespace {

/// Paths of what was forced to the disk, in order.
std::vector<std::string> forced;

int Note(int file) {
  std::error_code error;
  forced.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), error));
  return error ? -1 : 0;
}

}  // namespace

// In place of the system's, for there is no other way to see it.
extern "C" int fsync(int file) { return Note(file); }
extern "C" int fdatasync(int file) { return Note(file); }

namespace flowcast::spool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kHeader = internal::kHeaderBytes;

TEST(Crc32cTest, IsTheOneOfRfc3720) {
  EXPECT_EQ(internal::Crc32c(""), 0U);
  EXPECT_EQ(internal::Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(internal::Crc32c(std::string(32, '\0')), 0x8a9136aaU);
}

TEST_F(JournalTest, GivesRecordsInOrderAsTheyWere) {
  Open();
  const std::string binary("a\0b\xff", 4);
  ASSERT_TRUE(journal_->Append(7, 3, binary));
  ASSERT_TRUE(journal_->Append(0, 0, ""));
  EXPECT_EQ(journal_->unread(), (Amount{2, 3}));
  const auto first = journal_->Read();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->number, 1u);
  EXPECT_EQ(first->partition, 7);
  EXPECT_EQ(first->packets, 3u);
  EXPECT_EQ(first->bytes, binary);
  EXPECT_EQ(journal_->Read()->bytes, "");
  EXPECT_FALSE(journal_->Read());
}

TEST_F(JournalTest, ReadingAndAppendingInTurnsGoesOnOverSegments) {
  Open();
  base::Random random(1);
  std::vector<std::string> expected;
  std::size_t read = 0;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back(std::string(random.Below(300), static_cast<char>('a' + i % 26)));
    ASSERT_TRUE(Append(expected.back())) << journal_->obstacle();
    for (auto steps = random.Below(3); steps > 0 && read < expected.size(); --steps) {
      const auto record = journal_->Read();
      ASSERT_TRUE(record);
      EXPECT_EQ(record->bytes, expected[read++]);
    }
    if (i % 10 == 0 && read > 0) journal_->Release(read);
  }
  EXPECT_GT(Segments().size(), 1u);
  const auto rest = ReadAll();
  EXPECT_EQ(rest,
            std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(read), expected.end()));
}

TEST_F(JournalTest, WhatIsSkippedIsNotReadButFoundAgainUntilItIsReleased) {
  Open();
  Append(0, 3);
  journal_->SkipUnread();
  EXPECT_FALSE(journal_->Read());
  Append(3, 5);
  EXPECT_THAT(ReadAll(), ElementsAre("3", "4"));
  journal_->Release(1);
  last_read_ = 0;
  Open();
  EXPECT_EQ(journal_->found().left.records, 4u);
  EXPECT_THAT(ReadAll(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(JournalTest, NumbersGoOnAfterARestartAndWhatIsReleasedIsNotFound) {
  Open();
  Append(0, 1000);
  journal_->Release(999);
  Open();
  EXPECT_EQ(journal_->found().left, (Amount{1, 3}));
  EXPECT_EQ(journal_->found().lost, Amount{});
  EXPECT_THAT(log_, HasSubstr("1 batches of 3 packets of an earlier run wait"));
  Append(1000, 1001);
  EXPECT_EQ(journal_->last_number(), 1001u);
  EXPECT_THAT(ReadAll(), ElementsAre("999", "1000"));
}

TEST_F(JournalTest, WhenAllIsReleasedNoSegmentIsLeftBehind) {
  Open();
  Append(0, 500);
  journal_->Release(500);
  journal_.reset();
  EXPECT_THAT(Segments(), IsEmpty());
  Open();
  EXPECT_EQ(journal_->found().left, Amount{});
  Append(0, 1);
  EXPECT_EQ(journal_->last_number(), 501u);
}

TEST_F(JournalTest, TheBoundIsKeptAndReleasingMakesRoom) {
  options_.max_bytes = 64 << 10;
  Open();
  const std::string bytes(1000, 'x');
  std::uint64_t taken = 0;
  while (Append(bytes)) ++taken;
  EXPECT_THAT(journal_->obstacle(), HasSubstr("the bound of 0 MiB is reached"));
  EXPECT_LE(journal_->bytes(), options_.max_bytes);
  EXPECT_GE(taken, 60u);
  std::uint64_t size = 0;
  for (const fs::path& path : Segments()) size += fs::file_size(path);
  EXPECT_EQ(size, journal_->bytes());
  journal_->Release(taken / 2);
  EXPECT_TRUE(Append(bytes));
  EXPECT_EQ(journal_->obstacle(), "");
  journal_->Release(journal_->last_number());
  for (std::uint64_t i = 0; i < taken; ++i) EXPECT_TRUE(Append(bytes)) << i;
}

TEST_F(JournalTest, ARecordLargerThanASegmentHasOneOfItsOwnAndOneLargerThanTheBoundIsRefused) {
  Open();
  EXPECT_TRUE(Append("before"));
  EXPECT_TRUE(Append(std::string(20'000, 'x')));
  EXPECT_TRUE(Append("after"));
  EXPECT_FALSE(Append(std::string(options_.max_bytes, 'x')));
  EXPECT_THAT(ReadAll(), ElementsAre("before", std::string(20'000, 'x'), "after"));
}

/// Files of this process end at so many bytes.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST_F(JournalTest, ADiskThatTakesNoMoreIsLikeABoundThatIsReached) {
  Open();
  std::vector<std::string> taken;
  {
    const SmallDisk disk(1000);
    while (Append(std::string(100, 'x'))) taken.push_back(std::string(100, 'x'));
    EXPECT_EQ(taken.size(), 1000 / (kHeader + 100));
    EXPECT_THAT(journal_->obstacle(), HasSubstr("the disk takes no more: File too large"));
  }
  {
    const SmallDisk disk(60);
    EXPECT_FALSE(Append(std::string(100, 'y')));
    EXPECT_TRUE(Append("z")) << "a smaller one still fits";
  }
  EXPECT_TRUE(Append("again"));
  taken.insert(taken.end(), {"z", "again"});
  Open();
  EXPECT_EQ(ReadAll(), taken) << "half-written records are not there";
  EXPECT_EQ(journal_->found().damaged_bytes + journal_->found().torn_bytes, 0u);
}

TEST_F(JournalTest, AFullDiskGetsItsRoomBackWhenAllIsReleased) {
  Open();
  {
    const SmallDisk disk(1000);
    while (Append(std::string(100, 'x'))) continue;
  }
  ASSERT_EQ(Segments().size(), 1u);
  journal_->Release(journal_->last_number());
  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_EQ(journal_->bytes(), 0u);
  EXPECT_TRUE(Append("new"));
}

TEST_F(JournalTest, FoldersAndFilesAreForTheirOwnerAlone) {
  const mode_t mask = umask(0);
  Open();
  Append(0, 1);
  umask(mask);
  for (const fs::path& path : {base_ / "a", base_ / "a" / "b"}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all) << path;
  }
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    EXPECT_EQ(entry.status().permissions(), fs::perms::owner_read | fs::perms::owner_write) << entry.path();
  }
}

TEST_F(JournalTest, FolderAndFilesAreGivenToTheOwnerWhoIsNamed) {
  const std::uint32_t user = geteuid() == 0 ? 65534 : geteuid();  // only root can give away
  options_.owner = Owner{user, user == geteuid() ? getegid() : 65534};
  options_.folder = (base_ / "root's" / "b").string();
  {
    Open();
    const internal::ActingAs owner(options_.owner);  // who can't enter what is above the folder
    Append(0, 1);
    EXPECT_EQ(journal_->obstacle(), "");
  }
  struct stat status {};
  ASSERT_EQ(stat(options_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, user);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, user) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3) << "a segment, the position and the lock";
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("0"));
}

TEST_F(JournalTest, WhatRootLeftIsGivenToTheOwnerToo) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give away";
  Open();
  Append(0, 1);
  options_.owner = Owner{65534, 65534};
  Open();
  const internal::ActingAs owner(options_.owner);
  Append(1, 2);
  EXPECT_THAT(ReadAll(), ElementsAre("0", "1"));
}

TEST_F(JournalTest, AFolderIsCheckedWithoutBeingMade) {
  EXPECT_EQ(ErrorOfChecking(), "none");
  EXPECT_FALSE(fs::exists(base_ / "a"));
  Open();
  EXPECT_EQ(ErrorOfChecking(), "none") << "also while it is in use";
  journal_.reset();
  fs::permissions(options_.folder, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(ErrorOfChecking(), HasSubstr("run chmod 700 on it"));
  fs::remove_all(base_ / "a");
  std::ofstream(base_ / "a") << "a file";
  EXPECT_THAT(ErrorOfChecking(), HasSubstr("can't be used: Not a directory"));
  EXPECT_EQ(ErrorOfOpening(), ErrorOfChecking());
}

class SyncedJournalTest : public JournalTest {
 protected:
  SyncedJournalTest() { forced.clear(); }
  ~SyncedJournalTest() override { forced.clear(); }
  static std::size_t Forced(const fs::path& path) {
    return static_cast<std::size_t>(std::count(forced.begin(), forced.end(), path.string()));
  }
};

TEST_F(SyncedJournalTest, ForcesEachRecordAndEachFileOfTheFolderToTheDisk) {
  options_.sync = true;
  Open();
  EXPECT_EQ(Forced(base_), 1u) << "the folder above is made";
  EXPECT_EQ(Forced(base_ / "a"), 1u) << "the folder is made in it";
  Append(0, 3);
  EXPECT_EQ(Forced(Segments().at(0)), 3u);
  EXPECT_EQ(Forced(options_.folder), 1u) << "once a segment, and with it the position's and the lock's entry";
  while (Segments().size() < 3) Append(3, 4);
  EXPECT_EQ(Forced(options_.folder), 3u);
}

TEST_F(SyncedJournalTest, ForcesThePositionBeforeWhatIsReleasedIsRemoved) {
  options_.sync = true;
  Open();
  while (Segments().size() < 2) Append(0, 1);
  const fs::path position = fs::path(options_.folder) / "position";
  journal_->Release(1);
  EXPECT_EQ(Forced(position), 0u) << "an old one only has more sent again";
  journal_->Release(journal_->last_number() - 1);
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_EQ(Forced(position), 1u);
}

TEST_F(SyncedJournalTest, WithoutBeingAskedToForcesNoFile) {
  Open();
  while (Segments().size() < 3) Append(0, 1);
  journal_->Release(journal_->last_number());
  EXPECT_EQ(forced, (std::vector<std::string>{base_, base_ / "a"})) << "the folders, once";
}

TEST_F(JournalTest, AFolderThatOthersMayEnterIsRefused) {
  Open();
  journal_.reset();
  fs::permissions(options_.folder, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("run chmod 700 on it"));
}

TEST_F(JournalTest, AFolderThatIsALinkOrAFileIsRefused) {
  fs::create_directories(base_ / "elsewhere");
  fs::create_directories(base_ / "a");
  fs::create_directory_symlink(base_ / "elsewhere", base_ / "a" / "b");
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("name another with --spool"));
  fs::remove(base_ / "a" / "b");
  std::ofstream(base_ / "a" / "b") << "a file";
  EXPECT_THAT(ErrorOfOpening(), HasSubstr("can't be used: Not a directory"));
}

TEST_F(JournalTest, ASecondOneOnTheSameFolderIsToldWhatToDo) {
  Open();
  EXPECT_THAT(ErrorOfOpening(),
              HasSubstr("in use by another capture; give each its own --source or --spool"));
  journal_.reset();
  EXPECT_EQ(ErrorOfOpening(), "none");
}

TEST_F(JournalTest, WhatIsNoSegmentIsLeftAlone) {
  Open();
  Append(0, 2);
  journal_.reset();
  std::ofstream(options_.folder + "/notes.txt") << "keep me";
  std::ofstream(options_.folder + "/1.segment") << "no name of ours";
  fs::create_directory(options_.folder + "/00000000000000000009.segment");
  fs::create_symlink(base_, options_.folder + "/00000000000000000008.segment");
  Open();
  EXPECT_THAT(ReadAll(), ElementsAre("0", "1"));
  EXPECT_TRUE(fs::exists(options_.folder + "/notes.txt"));
  EXPECT_TRUE(fs::exists(options_.folder + "/1.segment"));
}

}  // namespace
}  // namespace flowcast::spool
