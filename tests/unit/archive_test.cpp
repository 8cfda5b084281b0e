// archive: the same bytes out of plain, gzip and zstd files, and damage said after what was whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/base/random.h"
#include "tests/support/bytes.h"

namespace flowcast::archive {
namespace {

using namespace support;
using ::testing::HasSubstr;

Bytes Gzip(const Bytes& plain) {
  Bytes packed(plain.size() + 1000);
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes Zstd(const Bytes& plain) {
  Bytes packed(ZSTD_compressBound(plain.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

/// Compresses by about half, so that one file is many buffers and blocks.
Bytes Noise(std::size_t count) {
  base::Random random(1);
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(random.Below(16)));
  return bytes;
}

class ArchiveTest : public ::testing::Test {
 protected:
  ~ArchiveTest() override { std::filesystem::remove(path_); }

  void Store(const Bytes& bytes) const {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  /// Everything that can be read; what was thrown at its end goes to failure_.
  Bytes ReadAll(std::size_t piece) {
    const auto source = Open(path_);
    Bytes all;
    Bytes buffer(piece);
    try {
      while (const std::size_t got = source->Read(buffer)) all = std::move(all) + First(buffer, got);
      EXPECT_EQ(source->Read(buffer), 0U) << "the end is the end";
    } catch (const base::RuntimeError& error) {
      failure_ = error.what();
    }
    return all;
  }
  void ExpectReadsAs(const Bytes& stored, const Bytes& plain) {
    Store(stored);
    for (const std::size_t piece : {std::size_t{1009}, std::size_t{1} << 20}) {
      EXPECT_TRUE(ReadAll(piece) == plain) << "in pieces of " << piece;
      EXPECT_EQ(failure_, "");
    }
  }
  void ExpectDamage(const Bytes& stored, const Bytes& plain, std::size_t at_least,
                    const std::string& reason) {
    Store(stored);
    const Bytes got = ReadAll(1 << 20);
    EXPECT_GE(got.size(), at_least);
    EXPECT_TRUE(got == First(plain, got.size()));
    EXPECT_THAT(failure_, HasSubstr(reason));
  }
  std::string RefusalOf(const std::string& path) const {
    try {
      Open(path);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::string path_ = ::testing::TempDir() + "flowcast-archive-" +
                      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string failure_;
};

TEST_F(ArchiveTest, ReadsPlainFilesAsTheyAre) {
  ExpectReadsAs(Noise(3'000'000), Noise(3'000'000));
  ExpectReadsAs(Text("abc"), Text("abc"));
  ExpectReadsAs({}, {});
}

TEST_F(ArchiveTest, ReadsGzipOfOneMemberAndOfSeveral) {
  const Bytes noise = Noise(2'000'000);
  ExpectReadsAs(Gzip(noise), noise);
  ExpectReadsAs(Gzip(noise) + Gzip({}) + Gzip(Text("tail")), noise + Text("tail"));
}

TEST_F(ArchiveTest, ReadsZstdOfOneFrameAndOfSeveral) {
  const Bytes noise = Noise(2'000'000);
  ExpectReadsAs(Zstd(noise), noise);
  ExpectReadsAs(Zstd(noise) + Zstd({}) + Zstd(Text("tail")), noise + Text("tail"));
}

TEST_F(ArchiveTest, GivesWhatIsWholeOfATruncatedFileAndThenFails) {
  const Bytes noise = Noise(2'000'000);
  for (const Bytes& packed : {Gzip(noise), Zstd(noise)}) {
    ExpectDamage(First(packed, packed.size() / 2), noise, 800'000, "ends in the middle");
    ExpectDamage(First(packed, packed.size() - 1), noise, 1'900'000, "ends in the middle");
  }
}

TEST_F(ArchiveTest, GivesWhatIsWholeBeforeGarbageAndThenFails) {
  const Bytes noise = Noise(500'000);
  ExpectDamage(Gzip(noise) + Text("garbage garbage"), noise, noise.size(),
               "is damaged gzip: incorrect header check");
  ExpectDamage(Zstd(noise) + Text("garbage garbage"), noise, noise.size(), "is damaged zstd: Unknown frame");
}

TEST_F(ArchiveTest, RefusesAFrameThatWouldNeedGigabytesToUnpack) {
  // A header that asks for a window of 2 GiB, and an empty last block.
  const std::string frame("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  ExpectDamage(Text(frame), {}, 0, "requires too much memory");
}

TEST_F(ArchiveTest, RefusesWhatCannotBeReadAndNamesTheRemedy) {
  EXPECT_EQ(RefusalOf("/no/such/file.pcap"), "file /no/such/file.pcap does not exist; check the path");
  EXPECT_EQ(RefusalOf("/"), "/ is a folder; name a file in it");
}

}  // namespace
}  // namespace flowcast::archive
