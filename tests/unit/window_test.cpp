// The fold of packet batches into windows: what closes when, what is late, what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/window_fixture.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Stream;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WindowTest : public WindowFixture {};

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

TEST_F(WindowTest, ASequenceTellsTheUsualLoadOfItsLastAndTheNextWindowsOnceADayWasSeen) {
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
  const auto usual_after = [&](std::size_t window) { return closed.at(window).sequence.value().usual; };
  EXPECT_THAT(usual_after(10), IsEmpty()) << "not made up";
  const auto known = usual_after(32);
  ASSERT_THAT(known, SizeIs(4));
  std::vector<double> packets;
  for (const feature::Usual& usual : known) packets.push_back(std::round(usual.packets));
  EXPECT_THAT(packets, testing::ElementsAre(1, 1, 7, 1)) << "window 34 is at the hour of window 10";
  EXPECT_EQ(known.back().days, 1u);
}

TEST_F(WindowTest, ALinkThatIsSilentOverNightStillKnowsItsUsualLoad) {
  options_ = {.window_length = 15min, .link_expiry = 1h, .sequence_length = 2, .coming_windows = 2};
  Restart(options_);
  constexpr double kHour = 3600, kDay = 24 * kHour;
  for (int day = 0; day < 3; ++day) {  // from Wednesday to Friday
    for (double hour = 9; hour < 12; hour += 0.25) {
      watermark_ = At(day * kDay + hour * kHour);
      Feed({day * kDay + hour * kHour});
    }
    AdvanceTo(day * kDay + 20 * kHour);
  }
  EXPECT_EQ(fold_.counters().retired_links, 3u);
  const auto morning = std::find_if(closed_.rbegin(), closed_.rend(), [](const ClosedWindow& closed) {
    return closed.window.start == base::AlignDown(At(2 * kDay + 10 * kHour), 15min);
  });
  ASSERT_TRUE(morning != closed_.rend() && morning->sequence);
  ASSERT_EQ(morning->sequence->usual.size(), 3u);
  EXPECT_GT(morning->sequence->usual.front().days, 0u);
}

TEST_F(WindowTest, TheSnapshotOfALinkThatEndsIsTakenBack) {
  Feed({0});
  AdvanceTo(5);
  End(7);
  ASSERT_TRUE(changed_.contains("demo/a"));
  EXPECT_EQ(changed_["demo/a"], std::nullopt);
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
