// Our reader against libpcap, over the real captures of the corpus (FLOWCAST_CORPUS).
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/capfile/reader.h"
#include "tests/support/bytes.h"

namespace flowcast::capfile {
namespace {

namespace fs = std::filesystem;
using support::Bytes;

fs::path Corpus() {
  const char* folder = std::getenv("FLOWCAST_CORPUS");
  return folder == nullptr ? FLOWCAST_DEFAULT_CORPUS : folder;
}

std::vector<std::string> FilesOf(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(Corpus() / folder, absent)) {
    if (entry.path().filename().string().find(".pcap") != std::string::npos) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// libpcap reads from FILE*; this one is fed by our decompression.
FILE* OpenForLibpcap(const std::string& path) {
  const auto source = archive::Open(path);
  FILE* file = std::tmpfile();
  Bytes buffer(1 << 20);
  while (const std::size_t got = source->Read(buffer)) std::fwrite(buffer.data(), 1, got, file);
  std::rewind(file);
  return file;
}

struct PcapCloser {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};

struct Comparison {
  std::uint64_t frames = 0;
  bool libpcap_refused = false;
};

/// libpcap takes seconds as signed; ours are unsigned, so that they go on after 2038.
std::int64_t TimeOf(const pcap_pkthdr& header) {
  const auto seconds = static_cast<std::uint32_t>(header.ts.tv_sec);
  return std::int64_t{seconds} * 1'000'000'000 + header.ts.tv_usec;
}

void ExpectSame(const Frame& ours, const pcap_pkthdr& theirs, const u_char* bytes) {
  // A Simple Packet Block has no time: libpcap says 0, we say that of the frame before.
  if (TimeOf(theirs) != 0) {
    EXPECT_EQ(base::ToUnixNanoseconds(ours.time), TimeOf(theirs));
  }
  EXPECT_EQ(ours.wire_length_bytes, theirs.len);
  // libpcap cuts frames to the snap length of the file, we give what is there.
  ASSERT_GE(ours.bytes.size(), theirs.caplen);
  EXPECT_TRUE(std::equal(bytes, bytes + theirs.caplen, reinterpret_cast<const u_char*>(ours.bytes.data())));
}

void ExpectSameEnd(Reader& reader, int libpcap_status) {
  // Where libpcap refuses to go on (link types differ, a frame above its limits), we may.
  if (libpcap_status == PCAP_ERROR_BREAK) {
    EXPECT_FALSE(reader.Next().has_value()) << "libpcap came to the end";
    EXPECT_FALSE(reader.damage().has_value()) << reader.damage()->reason;
  }
}

Comparison Compare(const std::string& path) {
  Comparison result;
  char error[PCAP_ERRBUF_SIZE];
  const std::unique_ptr<pcap_t, PcapCloser> theirs(
      pcap_fopen_offline_with_tstamp_precision(OpenForLibpcap(path), PCAP_TSTAMP_PRECISION_NANO, error));
  result.libpcap_refused = theirs == nullptr;
  if (result.libpcap_refused) return result;
  Reader reader(archive::Open(path), path);
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(theirs.get(), &header, &bytes)) == 1) {
    const auto frame = reader.Next();
    if (!frame) {
      ADD_FAILURE() << "ours ends after " << result.frames
                    << " frames: " << (reader.damage() ? reader.damage()->reason : "no damage");
      return result;
    }
    ExpectSame(*frame, *header, bytes);
    ++result.frames;
  }
  ExpectSameEnd(reader, status);
  return result;
}

class CapfileVsLibpcap : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Corpus, CapfileVsLibpcap, ::testing::Values("small", "ndpi/pcap", "long"),
                         [](const auto& folder) {
                           std::string name = folder.param;
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

TEST_P(CapfileVsLibpcap, AgreesOnEveryFrameOfEveryFile) {
  const auto files = FilesOf(GetParam());
  if (files.empty()) GTEST_SKIP() << "no captures in " << Corpus() / GetParam() << "; set FLOWCAST_CORPUS";
  std::uint64_t frames = 0;
  std::size_t refused = 0;
  for (const std::string& path : files) {
    SCOPED_TRACE(path);
    const Comparison comparison = Compare(path);
    frames += comparison.frames;
    refused += comparison.libpcap_refused ? 1 : 0;
  }
  EXPECT_GT(frames, 1000U);
  RecordProperty("frames", static_cast<int>(frames));
  RecordProperty("refused_by_libpcap", static_cast<int>(refused));
  std::printf("%zu files, %llu frames the same, %zu files refused by libpcap\n", files.size(),
              static_cast<unsigned long long>(frames), refused);
}

TEST_P(CapfileVsLibpcap, DecodesEveryFrameWithoutHarm) {
  const auto files = FilesOf(GetParam());
  if (files.empty()) GTEST_SKIP() << "no captures in " << Corpus() / GetParam() << "; set FLOWCAST_CORPUS";
  for (const std::string& path : files) {
    SCOPED_TRACE(path);
    Reader reader(archive::Open(path), path);
    while (const auto frame = reader.Next()) {
      const Bytes exact(frame->bytes.begin(), frame->bytes.end());  // sanitizers see a read past it
      packet::Packet packet;
      const auto decoded = packet::Decode(reader.interfaces().at(frame->interface).link_type, exact, packet);
      EXPECT_TRUE(decoded || packet.flow == packet::FlowKey());
    }
  }
}

}  // namespace
}  // namespace flowcast::capfile
