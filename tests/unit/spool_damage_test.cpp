// What is left of a journal after torn ends, flipped bytes, missing files and kills.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "libs/base/random.h"
#include "libs/spool/internal/entry.h"
#include "tests/support/journals.h"

namespace flowcast::spool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kHeader = internal::kHeaderBytes;

class DamagedJournalTest : public JournalTest {
 protected:
  /// Records of these many bytes, in one segment.
  void Write(int count, std::size_t size) {
    options_.segment_bytes = 1 << 20;
    options_.max_bytes = 8 << 20;
    Open();
    for (int i = 0; i < count; ++i) {
      written_.push_back(std::string(size, static_cast<char>('a' + i % 26)));
      ASSERT_TRUE(Append(written_.back()));
    }
    journal_.reset();
    ASSERT_EQ(Segments().size(), 1u);
    segment_ = Segments()[0];
  }
  std::vector<std::string> Written(std::size_t count) const {
    return {written_.begin(), written_.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  std::vector<std::string> written_;
  fs::path segment_;
};

TEST_F(DamagedJournalTest, WhereverTheEndIsTornOffTheRecordsBeforeAreFound) {
  Write(5, 20);
  const std::uint64_t size = fs::file_size(segment_);
  const fs::path whole = base_ / "whole";
  fs::copy(segment_, whole);
  for (std::uint64_t cut = 0; cut <= size; ++cut) {
    fs::copy(whole, segment_, fs::copy_options::overwrite_existing);
    fs::resize_file(segment_, cut);
    last_read_ = 0;
    Open();
    const std::uint64_t intact = cut / (kHeader + 20);
    EXPECT_EQ(journal_->found().torn_bytes, cut % (kHeader + 20)) << cut;
    EXPECT_EQ(journal_->found().left.records, intact);
    EXPECT_EQ(ReadAll(), Written(intact)) << cut;
    ASSERT_TRUE(Append("new"));
    EXPECT_THAT(ReadAll(), ElementsAre("new"));
    journal_->Release(intact);
    Open();
    EXPECT_EQ(journal_->found().torn_bytes, 0u) << "it was cut off";
    last_read_ = 0;
    EXPECT_THAT(ReadAll(), ElementsAre("new"));
    journal_.reset();
    for (const fs::path& path : Segments()) fs::remove(path);
    fs::remove(options_.folder + "/position");
  }
}

TEST_F(DamagedJournalTest, ADamagedByteCostsOneRecordAndIsCounted) {
  Write(5, 20);
  const fs::path whole = base_ / "whole";
  fs::copy(segment_, whole);
  const std::uint64_t from = 2 * (kHeader + 20);
  std::vector<std::string> expected = written_;
  expected.erase(expected.begin() + 2);
  for (std::uint64_t at = from; at < from + kHeader + 20; ++at) {
    fs::copy(whole, segment_, fs::copy_options::overwrite_existing);
    Flip(segment_, at);
    last_read_ = 0;
    Open();
    EXPECT_EQ(journal_->found().lost, (Amount{1, 20})) << at;
    EXPECT_EQ(journal_->found().damaged_bytes, kHeader + 20) << at;
    EXPECT_EQ(ReadAll(), expected) << at;
  }
}

TEST_F(DamagedJournalTest, ASegmentWithoutAnythingReadableIsRemovedAndCounted) {
  Write(50, 100);
  const std::uint64_t size = fs::file_size(segment_);
  Overwrite(segment_, 0, std::string(size, 'F'));
  Open();
  EXPECT_EQ(journal_->found().torn_bytes, size);
  EXPECT_THAT(log_, HasSubstr("was damaged"));
  EXPECT_THAT(ReadAll(), IsEmpty());
  EXPECT_THAT(Segments(), IsEmpty());
  Append(0, 1);
  EXPECT_THAT(ReadAll(), ElementsAre("0"));
}

TEST_F(DamagedJournalTest, ASegmentThatIsGoneIsCountedByWhatFollows) {
  Open();
  while (Segments().size() < 3) ASSERT_TRUE(Append(std::string(100, 'x')));
  const std::uint64_t count = journal_->last_number();
  journal_.reset();
  fs::remove(Segments()[1]);
  Open();
  EXPECT_EQ(journal_->found().lost.records + journal_->found().left.records, count);
  EXPECT_EQ(journal_->found().lost.packets, 100 * journal_->found().lost.records);
  EXPECT_GT(journal_->found().lost.records, 0u);
  EXPECT_EQ(ReadAll().size(), journal_->found().left.records);
}

TEST_F(DamagedJournalTest, WithoutItsPositionMoreIsSentAgainAndNothingIsLost) {
  Open();
  Append(0, 10);
  journal_->Release(6);
  journal_.reset();
  Overwrite(options_.folder + "/position", 9, "x");
  Open();
  EXPECT_EQ(journal_->found().left.records, 10u);
  EXPECT_EQ(journal_->found().lost.records, 0u);
}

TEST_F(DamagedJournalTest, WhatIsDamagedWhileItWaitsIsCountedWhenTheRestIsRead) {
  Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 3; ++i) expected.push_back(std::string(50, static_cast<char>('a' + i)));
  for (const std::string& bytes : expected) ASSERT_TRUE(Append(bytes));
  Overwrite(Segments()[0], kHeader + 50 + kHeader + 10, "!");
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(ReadAll(), expected);
  EXPECT_EQ(journal_->lost(), (Amount{1, 50}));
  EXPECT_THAT(log_, HasSubstr("could not be read back"));
  EXPECT_TRUE(Append("after"));
  EXPECT_THAT(ReadAll(), ElementsAre("after"));
}

TEST_F(DamagedJournalTest, WhateverIsFlippedCutOrOverwrittenWhatIsReadWasWritten) {
  base::Random random(42);
  for (int round = 0; round < 300; ++round) {
    options_.segment_bytes = 512 + random.Below(4096);
    Open();
    std::vector<std::string> written;
    for (auto count = random.Below(60); count > 0; --count) {
      written.push_back(std::to_string(round) +
                        std::string(random.Below(200), static_cast<char>(random.Below(256))));
      ASSERT_TRUE(Append(written.back()));
    }
    const std::uint64_t released = random.Below(written.size() + 1);
    journal_->Release(journal_->last_number() - written.size() + released);
    journal_.reset();
    const auto segments = Segments();
    for (auto damages = random.Below(4); damages > 0 && !segments.empty(); --damages) {
      const fs::path& path = segments[random.Below(segments.size())];
      const std::uint64_t size = fs::file_size(path);
      if (size == 0) continue;
      if (random.Below(2) == 0)
        fs::resize_file(path, random.Below(size));
      else
        Overwrite(path, random.Below(size),
                  std::string(1 + random.Below(100), static_cast<char>(random.Below(256))));
    }
    Open();
    const auto& found = journal_->found();
    EXPECT_LE(found.left.records + found.lost.records, written.size() - released);
    const auto read = ReadAll();
    EXPECT_EQ(read.size(), found.left.records);
    EXPECT_EQ(journal_->lost(), Amount{});
    auto at = written.begin() + static_cast<std::ptrdiff_t>(released);
    for (const std::string& bytes : read) {
      at = std::find(at, written.end(), bytes);
      ASSERT_NE(at, written.end()) << "round " << round << " gave what was not written, or out of order";
      ++at;
    }
    journal_.reset();
    fs::remove_all(options_.folder);
    last_read_ = 0;
  }
}

TEST_F(JournalTest, AProcessThatIsKilledLeavesEverythingItHadAppended) {
  base::Random random(3);
  for (int round = 0; round < 10; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      Journal journal(options_, [](base::LogLevel, const std::string&) {});
      for (char count = 0;; ++count) {
        if (!journal.Append(0, 1, std::string(500, count)) || write(pipe_ends[1], &count, 1) != 1) _exit(1);
      }
    }
    close(pipe_ends[1]);
    char count = 0;
    std::uint64_t reported = 0;
    for (auto wanted = 1 + random.Below(300); reported < wanted; ++reported)
      ASSERT_EQ(read(pipe_ends[0], &count, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(pipe_ends[0], &count, 1) == 1) ++reported;
    close(pipe_ends[0]);
    Open();
    EXPECT_GE(journal_->found().left.records, reported);
    EXPECT_LE(journal_->found().left.records, reported + 1);
    char expected = 0;
    while (const auto record = journal_->Read()) EXPECT_EQ(record->bytes, std::string(500, expected++));
    journal_->Release(journal_->last_number());
    journal_.reset();
  }
}

}  // namespace
}  // namespace flowcast::spool
