// Every capture of the corpus (FLOWCAST_CORPUS) through reader, decoder and capture service: no crash, no
// leak (in the asan build), no hang, and counts that add up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "libs/archive/archive.h"
#include "libs/capture/file_source.h"
#include "libs/delivery/waiting_delivery.h"
#include "libs/wire/packet_wire.h"
#include "services/capture/capture_service.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kDeadlineSeconds = 60;  // a file; under sanitizers, on a busy machine

std::vector<std::string> FilesOf(const std::string& folder) {
  const char* corpus = std::getenv("FLOWCAST_CORPUS");
  std::vector<std::string> files;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(
           fs::path(corpus == nullptr ? FLOWCAST_DEFAULT_CORPUS : corpus) / folder, absent)) {
    if (entry.path().filename().string().find(".pcap") != std::string::npos) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

struct Expected {
  std::uint64_t frames = 0;
  std::uint64_t undecodable = 0;
  bool damaged = false;
};

// What is counted without the source and the service.
Expected Count(const std::string& path, packet::Tunnels tunnels) {
  Expected expected;
  capfile::Reader reader(archive::Open(path), path);
  while (const auto frame = reader.Next()) {
    // Memory of the frame's own, so that the sanitizer sees a read past its end.
    const std::vector<std::byte> exact(frame->bytes.begin(), frame->bytes.end());
    packet::Packet packet;
    const auto link_type = reader.interfaces().at(frame->interface).link_type;
    ++expected.frames;
    expected.undecodable += packet::Decode(link_type, exact, packet, tunnels) ? 0 : 1;
  }
  expected.damaged = reader.damage().has_value();
  return expected;
}

struct Published {
  CaptureSummary summary;
  std::uint64_t packets = 0;  // in the batches on the topic
};

Published Publish(const std::string& path, packet::Tunnels tunnels) {
  base::ManualClock clock;
  bus::MemoryBus bus;
  const topics::Names names;
  support::Lines lines;
  support::CreateTopics(bus, names, 4);
  const auto never = [] { return false; };
  const auto producer = bus.MakeProducer({});
  delivery::WaitingDelivery delivery({*producer, clock, lines.log(), never}, names.packets);
  capture::FileSource source(std::make_unique<capfile::Reader>(archive::Open(path), path), nullptr, tunnels);
  CaptureOptions options;
  options.batches = {.source = "corpus", .partitions = 4};
  Published published{CaptureService({source, delivery, clock, lines.log(), never}, options).Run()};
  for (const bus::InRecord& record : bus.Records(names.packets)) {
    published.packets += wire::DecodePacketBatch(record.value).value().size();
  }
  return published;
}

/// Returns how many frames were compared.
std::uint64_t ExpectCountsAddUp(const std::string& path, packet::Tunnels tunnels) {
  const Expected expected = Count(path, tunnels);
  const Published published = Publish(path, tunnels);
  const CaptureSummary& summary = published.summary;
  EXPECT_EQ(summary.packets.received, expected.frames);
  EXPECT_EQ(summary.packets.undecodable, expected.undecodable);
  EXPECT_EQ(summary.packets.published, expected.frames - expected.undecodable);
  EXPECT_EQ(summary.packets.filtered + summary.packets.dropped() + summary.unsent, 0u);
  EXPECT_EQ(published.packets, summary.packets.published);
  EXPECT_EQ(std::reduce(summary.by_kind.begin(), summary.by_kind.end()), summary.packets.published);
  EXPECT_EQ(summary.failed, expected.damaged);
  const bool said = summary.complaint.find(path + " is damaged at byte ") != std::string::npos;
  EXPECT_EQ(said, expected.damaged) << summary.complaint;
  return expected.frames;
}

class CorpusTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Folders, CorpusTest, ::testing::Values("small", "ndpi/pcap"),
                         [](const auto& folder) {
                           std::string name = folder.param;
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

TEST_P(CorpusTest, EveryFileRunsThroughWithinItsDeadlineAndItsCountsAddUp) {
  const auto files = FilesOf(GetParam());
  if (files.empty()) GTEST_SKIP() << "no captures in " << GetParam() << "; set FLOWCAST_CORPUS";
  std::uint64_t frames = 0;
  for (const std::string& path : files) {
    SCOPED_TRACE(path);
    ::alarm(kDeadlineSeconds);  // a hang can only be ended from outside
    frames += ExpectCountsAddUp(path, {});
    ExpectCountsAddUp(path, packet::Tunnels::All());
  }
  ::alarm(0);
  EXPECT_GT(frames, 1000u);
  std::printf("%zu files, %llu frames\n", files.size(), static_cast<unsigned long long>(frames));
}

}  // namespace
}  // namespace flowcast::services
