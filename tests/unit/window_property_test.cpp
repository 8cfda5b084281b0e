// What must hold of the fold for any traffic: sums, batch sizes, restarts.
#include <gtest/gtest.h>

#include "libs/capture/batcher.h"
#include "libs/window/partition_fold.h"
#include "tests/support/kept_snapshots.h"
#include "tests/support/stream.h"
#include "tests/support/traffic.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using packet::PacketBatch;
using support::BatchLimits;

using Log = std::vector<PacketBatch>;

const FoldOptions kOptions{
    .window_length = 5s, .link_expiry = 60s, .sequence_length = 4, .snapshot_every = 3};

/// Applies the log's records [from, to) and appends what closes.
void ApplyRange(PartitionFold& fold, const Log& log, std::size_t from, std::size_t to,
                std::vector<ClosedWindow>& closed) {
  FoldOutput output;
  for (std::size_t i = from; i < to; ++i) fold.Apply(log[i], static_cast<std::int64_t>(i), output);
  while (fold.Close(output)) continue;
  for (ClosedWindow& window : output.closed) closed.push_back(std::move(window));
}

/// What a fold has written: every window, and the newest snapshot of each link.
struct Written {
  std::vector<ClosedWindow> windows;
  support::KeptSnapshots snapshots;

  void Take(FoldOutput output) {
    for (ClosedWindow& window : output.closed) windows.push_back(std::move(window));
    snapshots.Take(std::move(output.changed));
  }
  /// As a restarted service puts them together, from the window numbered `needed` on.
  std::map<std::string, RestoredLinks> Links(std::uint64_t needed, const FoldOptions& options) const {
    const auto window_at = [this](std::size_t i) -> const auto& { return windows[i].window; };
    return snapshots.Restore(needed, windows.size(), window_at, options);
  }
};

Written Run(PartitionFold& fold, const Log& log, std::size_t to) {
  Written written;
  for (std::size_t i = 0; i < to; ++i) {
    FoldOutput output;
    fold.Apply(log[i], static_cast<std::int64_t>(i), output);
    written.Take(std::move(output));
  }
  return written;
}

void ExpectSame(const std::vector<ClosedWindow>& actual, const std::vector<ClosedWindow>& wanted) {
  ASSERT_EQ(actual.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const feature::Window& window = wanted[i].window;
    ASSERT_EQ(actual[i].window, window) << window.link << " at " << base::FormatTime(window.start);
    ASSERT_EQ(actual[i].sequence, wanted[i].sequence)
        << window.link << " at " << base::FormatTime(window.start);
  }
}

/// Stops before record k, perhaps amid what that closes, and goes on with a fresh fold, as a restarted
/// service does.
void ExpectRestartChangesNothing(const Log& log, std::size_t k, const FoldOptions& options,
                                 std::uint64_t steps) {
  PartitionFold straight(options), stopped(options), fresh(options);
  std::vector<ClosedWindow> wanted, actual;
  const auto part = [&](PartitionFold& fold) {
    Written written = Run(fold, log, k);
    if (!fold.Take(log[k], static_cast<std::int64_t>(k))) steps = std::max<std::uint64_t>(steps, 1);
    const bool taken = fold.counters().batches > k;
    FoldOutput output;
    for (std::uint64_t step = 0; step < steps && fold.Close(output); ++step) continue;
    written.Take(std::move(output));
    return std::pair(std::move(written), taken ? k + 1 : k);
  };
  const auto [unused, next] = part(straight);
  FoldOutput rest;
  while (straight.Close(rest)) continue;
  for (ClosedWindow& window : rest.closed) wanted.push_back(std::move(window));
  ApplyRange(straight, log, next, log.size(), wanted);

  const Written written = part(stopped).first;
  const auto from = stopped.OldestNeededOffset().value_or(static_cast<std::int64_t>(next));
  RestoredWindows numbers{stopped.OldestNeededWindow(), written.windows.size()};
  fresh.BeginRefold(stopped.ProgressBefore(from), stopped.ProgressNow());
  for (auto i = static_cast<std::size_t>(from); i < next; ++i)
    EXPECT_TRUE(fresh.Take(log[i], static_cast<std::int64_t>(i)));
  fresh.EndRefold(written.Links(numbers.needed, options), std::move(numbers));
  EXPECT_EQ(fresh.link_count(), stopped.link_count());
  EXPECT_EQ(fresh.OldestNeededOffset(), stopped.OldestNeededOffset());
  EXPECT_LE(fresh.OldestNeededWindow(), stopped.OldestNeededWindow());
  ApplyRange(fresh, log, next, log.size(), actual);
  ExpectSame(actual, wanted);
}

std::vector<ClosedWindow> FoldOf(const Log& log) {
  PartitionFold fold(kOptions);
  std::vector<ClosedWindow> closed;
  ApplyRange(fold, log, 0, log.size(), closed);
  return closed;
}

std::vector<ClosedWindow> Sorted(std::vector<ClosedWindow> closed) {
  std::stable_sort(closed.begin(), closed.end(), [](const auto& a, const auto& b) {
    return std::pair(a.window.link, a.window.start) < std::pair(b.window.link, b.window.start);
  });
  return closed;
}

/// As the capture makes them, with a tolerance that some packets break.
Log Batched(const std::vector<packet::Packet>& packets, std::size_t most_packets) {
  capture::Batcher batcher({.source = "one", .batch_packets = most_packets, .reorder_tolerance = 2s});
  std::vector<capture::AddressedBatch> ready;
  batcher.Add(packets, support::SightingLinks(), ready);
  batcher.Finish(ready);
  Log log;
  for (capture::AddressedBatch& batch : ready) log.push_back(std::move(batch.batch));
  return log;
}

class WindowProperties : public testing::TestWithParam<std::uint64_t> {
 protected:
  Log MakeLog(const BatchLimits& limits) {
    Log one = MakeBatches(random_, "one", support::MakeSightings(random_, 300), limits);
    Log two = MakeBatches(random_, "two", support::MakeSightings(random_, 100), limits);
    return support::Merge(std::move(one), two);
  }
  /// Packets now and then over days, so that links end and come back.
  Log MakeSparseLog() {
    support::Stream stream("one");
    double at = 0;
    for (int i = 0; i < 600; ++i) {
      at += 20.0 * static_cast<double>(random_.Below(180));
      stream.Add(random_.Below(3) == 0 ? "often" : "sometimes", support::At(at));
      if (i % 5 == 0) log_.push_back(stream.Next(support::At(at)));
    }
    log_.push_back(stream.Next(support::At(at), true));
    return std::exchange(log_, {});
  }
  void ExpectRestartsChangeNothing(const Log& log, const FoldOptions& options = kOptions) {
    for (int i = 0; i < 8; ++i) {
      const std::size_t k = random_.Below(log.size());
      ExpectRestartChangesNothing(log, k, options, random_.Below(4));
      ASSERT_FALSE(HasFailure()) << "restarted at " << k << " of " << log.size();
    }
  }

  base::Random random_{GetParam()};
  Log log_;
};

TEST_P(WindowProperties, EveryPacketIsInOneWindowOrLateOrRepeated) {
  const Log log = support::WithResends(random_, MakeLog({.disorder_s = 7}));
  PartitionFold fold(kOptions);
  std::vector<ClosedWindow> closed;
  ApplyRange(fold, log, 0, log.size(), closed);
  const FoldCounters& counters = fold.counters();
  EXPECT_GT(counters.late_packets, 0u);
  EXPECT_GT(counters.repeated_packets, 0u);
  EXPECT_EQ(counters.packets_in,
            counters.packets_in_windows + counters.late_packets + counters.repeated_packets);
  std::uint64_t packets = 0;
  for (const ClosedWindow& window : closed) packets += window.window.packets;
  EXPECT_EQ(packets, counters.packets_in_windows);
  EXPECT_EQ(closed.size(), counters.windows);
}

TEST_P(WindowProperties, TheSamePacketsGiveTheSameWindowsWhateverTheBatches) {
  const auto packets = support::MakeDisorderedPackets(random_, 300);
  const auto wanted = Sorted(FoldOf(Batched(packets, 1)));
  for (const std::size_t most : {std::size_t{3}, std::size_t{40}, std::size_t{500}, std::size_t{100'000}})
    ExpectSame(Sorted(FoldOf(Batched(packets, most))), wanted);
}

TEST_P(WindowProperties, ACaptureSentAgainInOtherBatchesChangesNothing) {
  const auto packets = support::MakeDisorderedPackets(random_, 300);
  const auto wanted = Sorted(FoldOf(Batched(packets, 40)));
  for (int i = 0; i < 8; ++i) {
    Log log = Batched(packets, 1 + random_.Below(100));
    log.resize(random_.Below(log.size()));
    const Log again = Batched(packets, 1 + random_.Below(100));
    log.insert(log.end(), again.begin(), again.end());
    ExpectSame(Sorted(FoldOf(log)), wanted);
  }
}

TEST_P(WindowProperties, ARestartAnywhereChangesNothing) { ExpectRestartsChangeNothing(MakeLog({})); }

TEST_P(WindowProperties, WindowsThatOverlapAreRowsOfWindowsEndToEnd) {
  const Log log = support::WithResends(random_, MakeLog({.disorder_s = 7}));
  FoldOptions overlapping = kOptions;
  overlapping.hop = overlapping.window_length / 5;
  PartitionFold fold(overlapping), end_to_end(kOptions);
  std::vector<ClosedWindow> all, aligned, wanted;
  ApplyRange(fold, log, 0, log.size(), all);
  ApplyRange(end_to_end, log, 0, log.size(), wanted);
  std::map<std::string, base::EventTime> next;
  for (ClosedWindow& closed : all) {
    const feature::Window& window = closed.window;
    const auto [found, is_first] = next.try_emplace(window.link, window.start);
    const bool follows = window.start == found->second;
    EXPECT_TRUE(follows || window.start > found->second) << "none is left out but where a link begins anew";
    found->second = window.start + overlapping.hop;
    if (window.packets > 0 && base::AlignDown(window.start, window.length) == window.start)
      aligned.push_back(std::move(closed));
  }
  std::erase_if(wanted, [](const ClosedWindow& closed) { return closed.window.packets == 0; });
  ASSERT_EQ(aligned.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    aligned[i].window.late_packets = wanted[i].window.late_packets =
        0;  // told by the next window, which is nearer
    EXPECT_EQ(aligned[i].window, wanted[i].window);
  }
  EXPECT_EQ(fold.counters().late_packets, end_to_end.counters().late_packets);
  EXPECT_EQ(fold.counters().packets_in_windows, end_to_end.counters().packets_in_windows);
}

TEST_P(WindowProperties, ARestartAmongWindowsThatOverlapChangesNothing) {
  FoldOptions options = kOptions;
  options.hop = options.window_length / 4;
  ExpectRestartsChangeNothing(support::WithResends(random_, MakeLog({.disorder_s = 7})), options);
}

TEST_P(WindowProperties, ARestartForgetsNothingOfLinksThatComeAndGo) {
  const FoldOptions options{.window_length = 5min,
                            .link_expiry = 30min,
                            .sequence_length = 4,
                            .snapshot_every = 7,
                            .close_at_once = 50};
  const Log log = MakeSparseLog();
  PartitionFold fold(options);
  std::vector<ClosedWindow> closed;
  ApplyRange(fold, log, 0, log.size(), closed);
  const auto knows = [](const ClosedWindow& window) {
    return window.sequence && !window.sequence->usual.empty();
  };
  EXPECT_TRUE(std::any_of(closed.begin(), closed.end(), knows));
  ExpectRestartsChangeNothing(log, options);
}

TEST_P(WindowProperties, ARestartAmidTheStepsOfManyClosingsChangesNothing) {
  FoldOptions options = kOptions;
  options.close_at_once = 3;
  options.link_expiry = 300s;
  Log log = MakeLog({.disorder_s = 7, .ends = random_.Below(2) == 0});
  Log again = MakeBatches(random_, "one", support::MakeSightings(random_, 100), {.disorder_s = 7});
  for (PacketBatch& batch : again) batch.epoch = 2;
  log.insert(log.end(), again.begin(), again.end());
  for (int i = 0; i < 5; ++i) ExpectRestartsChangeNothing(log, options);
}

TEST_P(WindowProperties, ARestartAmongResendsChangesNothing) {
  ExpectRestartsChangeNothing(support::WithResends(random_, MakeLog({.tolerance = 50ms})));
}

TEST_P(WindowProperties, ARestartAmongLatePacketsChangesNothing) {
  ExpectRestartsChangeNothing(support::WithResends(random_, MakeLog({.disorder_s = 7})));
}

TEST_P(WindowProperties, ARestartChangesNothingWhenASourceCameAgain) {
  Log log = MakeLog({.ends = random_.Below(2) == 0});
  Log again = MakeBatches(random_, "one", support::MakeSightings(random_, 100), {});
  for (PacketBatch& batch : again) batch.epoch = 2;
  log.insert(log.end(), again.begin(), again.end());
  ExpectRestartsChangeNothing(log);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WindowProperties, testing::Range<std::uint64_t>(1, 7));

}  // namespace
}  // namespace flowcast::window
