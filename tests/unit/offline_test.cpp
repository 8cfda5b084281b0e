// Windows without topics: the same as through batches on partitions, in one order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "libs/base/random.h"
#include "libs/offline/offline_fold.h"
#include "tests/support/fake_source.h"

namespace flowcast::offline {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::FakeSource;
using support::PacketAt;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kLinks = 5;

OfflineOptions Options() {
  return {.batches = {.source = "demo", .reorder_tolerance = 1s},
          .fold = {.window_length = 2s, .link_expiry = 20s, .sequence_length = 3}};
}

/// Packets of several links with pauses, some of them late.
FakeSource Traffic(std::uint64_t seed, int packets = 5000) {
  base::Random random(seed);
  FakeSource source;
  source.names.clear();
  for (int i = 0; i < kLinks; ++i) source.names.push_back("if" + std::to_string(i));
  double at = 0.3;
  for (int i = 0; i < packets; ++i) {
    at += random.Exponential(random.Below(500) == 0 ? 8.0 : 0.02);
    const double back = random.Below(50) == 0 ? 3 * random.Uniform() : 0;
    auto packet = PacketAt(at - back, static_cast<std::uint16_t>(random.Below(kLinks)),
                           static_cast<int>(random.Below(20)));
    packet.wire_length_bytes = 60 + static_cast<std::uint32_t>(random.Below(1400));
    source.Add(packet);
  }
  return source;
}

std::vector<window::ClosedWindow> Drain(OfflineFold& fold) {
  std::vector<window::ClosedWindow> closed;
  while (fold.Step(closed)) continue;
  return closed;
}

std::vector<window::ClosedWindow> Offline(FakeSource source, const OfflineOptions& options = Options()) {
  OfflineFold fold(source, options);
  return Drain(fold);
}

bool ComesBefore(const window::ClosedWindow& one, const window::ClosedWindow& other) {
  return std::tie(one.window.start, one.window.link) < std::tie(other.window.start, other.window.link);
}

/// As the services do it: batches on partitions, a fold each.
std::vector<window::ClosedWindow> ThroughPartitions(FakeSource source, OfflineOptions options,
                                                    std::size_t batch_packets) {
  options.batches.partitions = 3;
  options.batches.batch_packets = batch_packets;
  capture::Batcher batcher(options.batches);
  std::vector<window::PartitionFold> folds;
  for (int i = 0; i < options.batches.partitions; ++i) folds.emplace_back(options.fold);
  std::vector<packet::Packet> packets;
  std::vector<capture::AddressedBatch> ready;
  source.Poll(1'000'000, packets);
  batcher.Add(packets, source.interfaces(), ready);
  batcher.Finish(ready);
  window::FoldOutput output;
  for (std::size_t i = 0; i < ready.size(); ++i)
    folds[static_cast<std::size_t>(ready[i].partition)].Apply(ready[i].batch, static_cast<std::int64_t>(i),
                                                              output);
  std::sort(output.closed.begin(), output.closed.end(), ComesBefore);
  return std::move(output.closed);
}

void ExpectSame(const std::vector<window::ClosedWindow>& actual,
                const std::vector<window::ClosedWindow>& wanted) {
  ASSERT_EQ(actual.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const feature::Window& window = wanted[i].window;
    ASSERT_EQ(actual[i].window, window) << window.link << " at " << base::FormatTime(window.start);
    ASSERT_EQ(actual[i].sequence, wanted[i].sequence)
        << window.link << " at " << base::FormatTime(window.start);
  }
}

TEST(OfflineFoldTest, WindowsAndSequencesAreThoseOfTheServices) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const auto offline = Offline(Traffic(seed));
    ASSERT_GT(offline.size(), 100u);
    for (const std::size_t batch_packets : {1u, 17u, 8192u})
      ExpectSame(offline, ThroughPartitions(Traffic(seed), Options(), batch_packets));
  }
}

TEST(OfflineFoldTest, TheyComeInOrderOfStartAndLinkHoweverTheSourceIsPolled) {
  const auto whole = Offline(Traffic(4));
  EXPECT_TRUE(std::is_sorted(whole.begin(), whole.end(), ComesBefore));
  FakeSource slow = Traffic(4);
  slow.poll_limit = 13;
  OfflineOptions options = Options();
  options.batches.batch_packets = 50;
  ExpectSame(Offline(std::move(slow), options), whole);
}

TEST(OfflineFoldTest, LinksThatPauseAreRetiredAndBeginAnew) {
  FakeSource source;
  for (const double at : {0.0, 1.0, 2.5, 100.0, 101.0}) source.Add(PacketAt(at));
  OfflineFold fold(source, Options());
  EXPECT_THAT(Drain(fold), SizeIs(12 + 1));
  EXPECT_EQ(fold.counters().retired_links, 1u);
}

TEST(OfflineFoldTest, PacketsInAreThoseInWindowsAndThoseThatAreLate) {
  FakeSource source = Traffic(5);
  OfflineFold fold(source, Options());
  std::uint64_t in_windows = 0;
  for (const window::ClosedWindow& closed : Drain(fold)) in_windows += closed.window.packets;
  const window::FoldCounters& counters = fold.counters();
  EXPECT_EQ(counters.packets_in, 5000u);
  EXPECT_GT(counters.late_packets, 0u);
  EXPECT_EQ(counters.packets_in, in_windows + counters.late_packets);
  EXPECT_GE(fold.stragglers(), counters.late_packets);
  EXPECT_EQ(fold.link_count(), std::size_t{kLinks});
}

TEST(OfflineFoldTest, ASourceWithoutPacketsHasNoWindows) { EXPECT_THAT(Offline(FakeSource()), IsEmpty()); }

TEST(OfflineFoldTest, AfterItsEndNothingComesAnyMore) {
  FakeSource source = Traffic(6, 100);
  OfflineFold fold(source, Options());
  Drain(fold);
  std::vector<window::ClosedWindow> closed;
  EXPECT_FALSE(fold.Step(closed));
  EXPECT_THAT(closed, IsEmpty());
}

}  // namespace
}  // namespace flowcast::offline
