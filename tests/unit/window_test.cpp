// The fold of packet batches into windows: what closes when, what is late, what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libs/window/partition_fold.h"
#include "tests/support/stream.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Stream;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WindowTest : public testing::Test {
 protected:
  void Restart(const FoldOptions& options) { fold_ = PartitionFold(options); }
  /// One batch with a packet on link "a" at each of these seconds; the watermark stays.
  void Feed(const std::vector<double>& seconds, const std::string& link = "a") {
    for (const double second : seconds) stream_.Add(link, At(second));
    Apply(stream_.Next(watermark_));
  }
  void AdvanceTo(double seconds) {
    watermark_ = At(seconds);
    Apply(stream_.Next(watermark_));
  }
  void End(double seconds) { Apply(stream_.Next(At(seconds), true)); }
  void Apply(const packet::PacketBatch& batch) {
    FoldOutput output;
    fold_.Apply(batch, offset_++, output);
    Take(std::move(output));
  }
  void Vanish() {
    FoldOutput output;
    fold_.Vanish("demo", output);
    Take(std::move(output));
  }
  void Take(FoldOutput output) {
    for (ClosedWindow& window : output.closed) closed_.push_back(std::move(window));
    changed_ = std::move(output.changed);
  }

  std::vector<ClosedWindow> TakeClosed() { return std::exchange(closed_, {}); }
  /// The oldest window not looked at yet.
  void ExpectWindow(double start, std::uint64_t packets, bool partial = false,
                    const std::string& link = "demo/a") {
    ASSERT_FALSE(closed_.empty()) << "no window at " << start;
    const feature::Window window = closed_.front().window;
    closed_.erase(closed_.begin());
    EXPECT_EQ(window.link, link);
    EXPECT_EQ(base::ToSeconds(window.start - At(0)), start);
    EXPECT_EQ(window.packets, packets) << "window at " << start;
    EXPECT_EQ(window.partial, partial) << "window at " << start;
    late_ += window.late_packets;
  }
  void ExpectNothingMore() { EXPECT_THAT(closed_, IsEmpty()); }

  FoldOptions options_{.window_length = 5s, .sequence_length = 3};
  PartitionFold fold_{options_};
  Stream stream_;
  base::EventTime watermark_ = At(0);
  std::int64_t offset_ = 0;
  std::vector<ClosedWindow> closed_;
  std::map<std::string, std::optional<LinkSnapshot>> changed_;  // by the last call
  std::uint64_t late_ = 0;
};

TEST_F(WindowTest, WindowsAreAlignedToTheEpochAndTheFirstIsPartial) {
  Feed({2, 4.999999999, 5, 9});
  AdvanceTo(10);
  ExpectWindow(0, 2, true);
  ExpectWindow(5, 2);
  ExpectNothingMore();
}

TEST_F(WindowTest, ASourceThatBeginsOnABoundaryHasNoPartialFirstWindow) {
  Feed({0, 1});
  AdvanceTo(5);
  ExpectWindow(0, 2, false);
}

TEST_F(WindowTest, ALinkThatComesLaterThanItsSourceBeginsWithAWholeWindow) {
  Feed({1});
  Feed({7}, "b");
  AdvanceTo(10);
  ExpectWindow(0, 1, true);
  ExpectWindow(5, 0);
  ExpectWindow(5, 1, false, "demo/b");
  ExpectNothingMore();
}

TEST_F(WindowTest, AWindowStaysOpenUntilTheWatermarkHasPassedItsEnd) {
  Feed({0});
  AdvanceTo(4.999999999);
  ExpectNothingMore();
  AdvanceTo(5);
  ExpectWindow(0, 1);
}

TEST_F(WindowTest, AnIdleLinkGetsRealZeroWindows) {
  Feed({0});
  AdvanceTo(20);
  ExpectWindow(0, 1);
  ASSERT_THAT(closed_, SizeIs(3));
  EXPECT_EQ(closed_[0].window.features[feature::kGapMean], 5.0);
  EXPECT_EQ(closed_[0].window.features[feature::kUplinkDownlinkRatio], 1.0);
  ExpectWindow(5, 0);
  ExpectWindow(10, 0);
  ExpectWindow(15, 0);
  ExpectNothingMore();
}

TEST_F(WindowTest, TheWindowInWhichASourceEndsIsPartial) {
  Feed({0, 6, 7});
  End(7);
  ExpectWindow(0, 1);
  ExpectWindow(5, 2, true);
  ExpectNothingMore();
}

TEST_F(WindowTest, TheFinalMarkClosesEveryLinkAndForgetsIt) {
  Feed({0, 11});
  Feed({2}, "b");
  End(11);
  EXPECT_THAT(TakeClosed(), SizeIs(6));
  EXPECT_EQ(fold_.link_count(), 0u);
  EXPECT_EQ(fold_.OldestNeededOffset(), std::nullopt);
  EXPECT_EQ(fold_.Watermark(), base::kEndOfTime);
}

TEST_F(WindowTest, LatePacketsAreCountedAndChangeNothingElse) {
  Feed({0, 1});
  AdvanceTo(10);
  ExpectWindow(0, 2);
  ExpectWindow(5, 0);
  Feed({4, 9.9, 10});
  AdvanceTo(15);
  ASSERT_THAT(closed_, SizeIs(1));
  EXPECT_EQ(closed_[0].window.late_packets, 2u);
  ExpectWindow(10, 1);
  AdvanceTo(20);
  EXPECT_EQ(closed_[0].window.late_packets, 0u) << "told once";
  EXPECT_EQ(fold_.counters().late_packets, 2u);
}

TEST_F(WindowTest, ALinkWithNothingButLatePacketsIsNoLink) {
  Feed({0});
  AdvanceTo(10);
  TakeClosed();
  Feed({1}, "b");
  const auto oldest = fold_.OldestNeededOffset();
  AdvanceTo(15);
  ExpectWindow(10, 0);
  ExpectNothingMore();
  EXPECT_EQ(fold_.link_count(), 1u);
  EXPECT_EQ(fold_.counters().retired_links, 0u);
  EXPECT_EQ(fold_.counters().late_packets, 1u);
  EXPECT_EQ(oldest, 2) << "the batch of the late packet, until the next window closes";
}

TEST_F(WindowTest, APacketOutOfOrderOfANewLinkIsNotLateWhileItsWindowIsOpen) {
  Feed({0, 6}, "z");
  Feed({11});  // the link's first, ahead of its time
  AdvanceTo(5);
  ExpectWindow(0, 1, false, "demo/z");
  Feed({9});
  AdvanceTo(15);
  ExpectWindow(5, 1);
  ExpectWindow(10, 1);
  EXPECT_EQ(fold_.counters().late_packets, 0u);
}

TEST_F(WindowTest, ALinkIsSnapshotWithItsFirstWindowAndThenOnceInAWhile) {
  options_.snapshot_every = 4;
  Restart(options_);
  Feed({0});
  AdvanceTo(5);
  ASSERT_TRUE(changed_.contains("demo/a"));
  const LinkSnapshot snapshot = changed_["demo/a"].value();
  EXPECT_EQ(snapshot.source, "demo");
  EXPECT_EQ(snapshot.next_start, At(5));
  EXPECT_EQ(snapshot.idle_since, At(5));
  EXPECT_THAT(snapshot.windows, SizeIs(1));
  int snapshots = 0;
  for (int window = 2; window <= 41; ++window) {
    AdvanceTo(5 * window);
    snapshots += changed_.contains("demo/a") ? 1 : 0;
    EXPECT_LE(fold_.counters().windows - fold_.OldestNeededWindow(), options_.snapshot_every);
  }
  EXPECT_EQ(snapshots, 10);
}

TEST_F(WindowTest, ASequenceTellsTheUsualLoadOfTheNextWindowsOnceADayWasSeen) {
  options_.window_length = 1h;
  options_.link_expiry = 1000h;
  options_.coming_windows = 3;
  Restart(options_);
  constexpr int kHour = 3600;
  for (int hour = 0; hour < 34; ++hour) {  // At(0) is 22:13 of a Tuesday
    const int packets = hour % 24 == 10 ? 7 : 1;
    Feed(std::vector<double>(static_cast<std::size_t>(packets), hour * kHour + 3000.0));
    AdvanceTo((hour + 1) * kHour);
  }
  const std::vector<ClosedWindow> closed = TakeClosed();
  const auto coming_after = [&](std::size_t window) { return closed.at(window).sequence.value().coming; };
  EXPECT_THAT(coming_after(10), IsEmpty()) << "not made up";
  const auto coming = coming_after(32);
  ASSERT_THAT(coming, SizeIs(3));
  std::vector<double> packets;
  for (const feature::Usual& usual : coming) packets.push_back(std::round(usual.packets));
  EXPECT_THAT(packets, testing::Contains(7));
  EXPECT_EQ(coming.back().days, 1u);
}

TEST_F(WindowTest, TheSnapshotOfALinkThatEndsIsTakenBack) {
  Feed({0});
  AdvanceTo(5);
  End(7);
  ASSERT_TRUE(changed_.contains("demo/a"));
  EXPECT_EQ(changed_["demo/a"], std::nullopt);
}

TEST_F(WindowTest, ASourceThatVanishedClosesItsWindowsAndMayComeBack) {
  Feed({0, 6});
  AdvanceTo(5);
  ExpectWindow(0, 1);
  Vanish();
  ExpectWindow(5, 1, true);
  ExpectNothingMore();
  EXPECT_EQ(changed_["demo/a"], std::nullopt);
  EXPECT_EQ(fold_.link_count(), 0u);
  EXPECT_EQ(fold_.counters().vanished_sources, 1u);
  Vanish();
  EXPECT_EQ(fold_.counters().vanished_sources, 1u) << "told once";
  Feed({9, 11});
  AdvanceTo(15);
  ExpectWindow(10, 1);
  ExpectNothingMore();
  EXPECT_EQ(fold_.counters().late_packets, 1u);
}

TEST_F(WindowTest, ASourceThatStandsStillDoesNotHoldUpTheOthers) {
  options_.window_length = 1s;
  options_.link_expiry = 1000h;
  Restart(options_);
  Feed({0});
  AdvanceTo(1);
  Stream other("other");
  Apply(other.Add("x", At(0)).Next(At(0)));
  changed_.clear();
  for (int second = 1000; second <= 120'000 && changed_.count("demo/a") == 0; second += 1000)
    Apply(other.Next(At(second)));
  EXPECT_TRUE(changed_.contains("demo/a"));
  EXPECT_GT(fold_.OldestNeededWindow(), 90'000u);
}

TEST_F(WindowTest, ALinkWhoseStateIsBehindItsSourceBeginsAnewInsteadOfRepeatingWindows) {
  const SourceProgress now{.epoch = 1, .next_sequence = 1, .started = At(0), .watermark = At(100)};
  fold_.BeginRefold({{"demo", now}});
  std::map<std::string, std::map<std::string, LinkHistory>> links;
  links["demo"].emplace("demo/a", LinkHistory(HistoryOptionsOf(options_), At(90)));
  links["demo"].emplace("demo/b", LinkHistory(HistoryOptionsOf(options_), At(100)));
  links["gone"].emplace("gone/x", LinkHistory(HistoryOptionsOf(options_), At(100)));
  fold_.EndRefold({{"demo", now}}, std::move(links), {});
  EXPECT_EQ(fold_.link_count(), 1u);
  stream_.Skip(1);
  AdvanceTo(105);
  ExpectWindow(100, 0, false, "demo/b");
  ExpectNothingMore();
}

TEST_F(WindowTest, APacketDatedFarAheadDoesNotHoldThePositionForEver) {
  constexpr double kYear = 365.25 * 86'400;
  Feed({0, kYear});
  for (int second = 1; second < 100; ++second) {
    Feed({second + 0.5});
    AdvanceTo(second + 1);
  }
  EXPECT_GT(fold_.OldestNeededOffset().value_or(offset_), 100);
  EXPECT_EQ(fold_.counters().ahead_packets, 1u);
}

TEST_F(WindowTest, OfSourcesThatEndedTheLastHundredAreRemembered) {
  std::vector<Stream> files;
  for (int i = 0; i < 150; ++i) {
    files.emplace_back("file" + std::to_string(i));
    Apply(files.back().Add("a", At(i)).Next(At(i), true));
  }
  EXPECT_EQ(fold_.ProgressNow().size(), 100u);
  const auto windows = closed_.size();
  Apply(Stream("file149").Add("a", At(149)).Next(At(149), true));
  EXPECT_EQ(closed_.size(), windows) << "known still, so sent again";
}

TEST_F(WindowTest, LatenessKeepsWindowsOpenForLonger) {
  options_.lateness = 3s;
  Restart(options_);
  Feed({0});
  AdvanceTo(7.9);
  ExpectNothingMore();
  Feed({4});
  AdvanceTo(8);
  ExpectWindow(0, 2);
  EXPECT_EQ(fold_.counters().late_packets, 0u);
}

TEST_F(WindowTest, TheWatermarkNeverGoesBack) {
  Feed({0});
  AdvanceTo(10);
  TakeClosed();
  AdvanceTo(3);
  EXPECT_EQ(fold_.Watermark(), At(10));
  ExpectNothingMore();
}

TEST_F(WindowTest, ABatchThatComesAgainIsDroppedAndCounted) {
  const packet::PacketBatch batch = stream_.Add("a", At(0)).Add("a", At(1)).Next(At(1));
  Apply(batch);
  Apply(batch);
  AdvanceTo(5);
  ExpectWindow(0, 2);
  EXPECT_EQ(fold_.counters().repeated_batches, 1u);
  EXPECT_EQ(fold_.counters().repeated_packets, 2u);
  EXPECT_EQ(fold_.counters().packets_in, 4u);
}

TEST_F(WindowTest, PacketsThatNeverCameAreCounted) {
  Feed({0});
  stream_.Skip(7);
  Feed({1});
  EXPECT_EQ(fold_.counters().missing_packets, 7u);
}

TEST_F(WindowTest, OfABatchThatWasHadInPartTheRestCounts) {
  Feed({0, 1});
  Stream again("demo", 1);
  Apply(again.Add("a", At(0)).Add("a", At(1)).Add("a", At(2)).Next(At(2)));
  EXPECT_EQ(fold_.counters().repeated_packets, 2u);
  EXPECT_EQ(fold_.counters().repeated_batches, 0u);
  Apply(again.Next(At(5)));
  ExpectWindow(0, 3);
}

TEST_F(WindowTest, NothingFollowsAFinalMark) {
  Apply(stream_.Add("a", At(0)).Next(At(0), true));
  ExpectWindow(0, 1, true);
  Apply(stream_.Add("a", At(1)).Next(At(50)));
  ExpectNothingMore();
  EXPECT_EQ(fold_.counters().repeated_packets, 1u);
}

TEST_F(WindowTest, OtherContentInTheSameEpochIsAnotherStream) {
  Feed({0});
  packet::PacketBatch other = Stream("demo", 1).Add("a", At(1)).Add("a", At(2)).Next(At(2));
  other.content = 7;
  Apply(other);
  ExpectWindow(0, 1, true);
  EXPECT_EQ(fold_.counters().restarted_sources, 1u);
  EXPECT_EQ(fold_.counters().repeated_packets, 0u);
}

TEST_F(WindowTest, AStragglerIsLateWhenItsWindowWasClosedWhereverBatchesEnd) {
  packet::PacketBatch batch =
      stream_.Add("a", At(0)).Add("a", At(9)).Add("a", At(3)).Add("a", At(6)).Next(At(9));
  batch.stragglers = {{2, At(9)}, {3, At(9)}};
  Apply(batch);
  ExpectWindow(0, 1);
  AdvanceTo(10);
  ExpectWindow(5, 2);
  EXPECT_EQ(fold_.counters().late_packets, 1u);
}

TEST_F(WindowTest, ASourceThatStartsAfreshFinishesItsFormerSelf) {
  Feed({0, 6});
  AdvanceTo(6);
  ExpectWindow(0, 1);
  stream_ = Stream("demo", 2);
  watermark_ = At(102);
  Feed({102});
  ExpectWindow(5, 1, true);
  ExpectNothingMore();
  AdvanceTo(110);
  ExpectWindow(100, 1, true);
  ExpectWindow(105, 0);
  EXPECT_EQ(fold_.counters().restarted_sources, 1u);
  EXPECT_EQ(fold_.counters().gap_ns, 96'000'000'000u);
}

TEST_F(WindowTest, TheGapsOfSourcesThatStartAfreshAddUpAndNoneIsNegative) {
  const auto restart = [this](std::uint64_t epoch, double first) {
    stream_ = Stream("demo", epoch);
    Feed({first, first + 1});
  };
  Feed({0});
  restart(2, 1);
  AdvanceTo(6);
  restart(3, 6.5);
  restart(4, 4);
  restart(5, 7.25);
  EXPECT_EQ(fold_.counters().gap_ns, 2'750'000'000u);
  AdvanceTo(8);
  End(9);
  restart(6, 100);
  EXPECT_EQ(fold_.counters().gap_ns, 2'750'000'000u) << "a source that has ended missed nothing";
  EXPECT_EQ(fold_.counters().restarted_sources, 4u);
}

TEST_F(WindowTest, WhatIsAheadOfTheWatermarkIsNotLostWhenASourceStartsAfresh) {
  Feed({0, 4.99, 5.01, 11});
  AdvanceTo(4.98);
  stream_ = Stream("demo", 2);
  watermark_ = At(102);
  Feed({102});
  ExpectWindow(0, 2, true);
  ExpectWindow(5, 1, true);
  ExpectWindow(10, 1, true);
  ExpectNothingMore();
}

TEST_F(WindowTest, ABatchOfAnOlderEpochIsARepeat) {
  stream_ = Stream("demo", 2);
  Feed({0});
  stream_ = Stream("demo", 1);
  Feed({1});
  EXPECT_EQ(fold_.counters().repeated_batches, 1u);
}

TEST_F(WindowTest, SourcesHaveWatermarksOfTheirOwn) {
  Feed({0});
  Stream other("other");
  Apply(other.Add("a", At(0)).Next(At(20)));
  EXPECT_THAT(TakeClosed(), SizeIs(4));
  EXPECT_EQ(fold_.Watermark(), At(0));
  AdvanceTo(5);
  ExpectWindow(0, 1);
  ExpectNothingMore();
}

TEST_F(WindowTest, ALinkWithoutPacketsIsRetired) {
  options_.link_expiry = 12s;
  Restart(options_);
  Feed({0});
  AdvanceTo(100);
  ExpectWindow(0, 1);
  ExpectWindow(5, 0);
  ExpectWindow(10, 0);
  ExpectWindow(15, 0);
  ExpectNothingMore();
  EXPECT_EQ(fold_.link_count(), 0u);
  EXPECT_EQ(fold_.counters().retired_links, 1u);
  Feed({101});
  AdvanceTo(105);
  ExpectWindow(100, 1);
  ExpectNothingMore();
}

TEST_F(WindowTest, AJumpOverYearsCostsNoMoreThanTheExpiry) {
  Feed({0});
  constexpr double kYears = 20 * 365.25 * 86'400;
  watermark_ = At(kYears + 1);
  Feed({kYears + 1});
  AdvanceTo(kYears + 5);
  EXPECT_THAT(closed_, SizeIs(1 + 720 + 1));
  EXPECT_EQ(base::ToSeconds(closed_.back().window.start - At(kYears)), 0);
  EXPECT_EQ(closed_.back().window.packets, 1u);
  EXPECT_EQ(fold_.counters().retired_links, 1u);
  EXPECT_EQ(fold_.link_count(), 1u);
}

TEST_F(WindowTest, ASequenceEndsWithEachWindowOnceThereAreEnoughAndNoneIsPartial) {
  Feed({1});
  AdvanceTo(25);
  std::vector<bool> has_sequence;
  for (const ClosedWindow& closed : closed_) has_sequence.push_back(closed.sequence.has_value());
  EXPECT_THAT(has_sequence, ElementsAre(false, false, false, true, true));
  EXPECT_EQ(closed_.back().sequence->end, At(25));
  EXPECT_EQ(closed_.back().sequence->length, 3u);
  EXPECT_EQ(fold_.counters().sequences, 2u);
}

TEST_F(WindowTest, FlowsAreSummedPerWindowAlsoWhenABatchSpansSeveral) {
  stream_.Add("a", At(0), 100, support::Flow(1), packet::kTcpSyn)
      .Add("a", At(1), 200, support::Flow(2))
      .Add("a", At(6), 300, support::Flow(1));
  Apply(stream_.Next(At(10)));
  ASSERT_THAT(closed_, SizeIs(2));
  EXPECT_EQ(closed_[0].window.features[feature::kFlows], 2.0);
  EXPECT_EQ(closed_[0].window.features[feature::kSynShare], 0.5);
  EXPECT_EQ(closed_[0].window.features[feature::kUplinkDownlinkRatio], 301.0);
  EXPECT_EQ(closed_[1].window.features[feature::kFlows], 1.0);
  EXPECT_EQ(closed_[1].window.features[feature::kSynShare], 0.0);
}

}  // namespace
}  // namespace flowcast::window
