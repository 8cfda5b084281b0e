// What sources do to the windows of their links: ends, restarts, repeats, holes, silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/window_fixture.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Stream;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WindowSourcesTest : public WindowFixture {};

TEST_F(WindowSourcesTest, ASourceThatVanishedClosesItsWindowsAndMayComeBack) {
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

TEST_F(WindowSourcesTest, ASourceThatStandsStillDoesNotHoldUpTheOthers) {
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

TEST_F(WindowSourcesTest, ALinkWhoseStateIsBehindItsSourceBeginsAnewInsteadOfRepeatingWindows) {
  const SourceProgress now{
      .epoch = 1, .next_sequence = 1, .started = At(0), .watermark = At(100), .closed_to = At(100)};
  fold_.BeginRefold({{"demo", now}}, {{"demo", now}});
  std::map<std::string, RestoredLinks> links;
  links["demo"].watched.emplace("demo/a", LinkHistory(HistoryOptionsOf(options_), At(90)));
  links["demo"].watched.emplace("demo/b", LinkHistory(HistoryOptionsOf(options_), At(100)));
  links["gone"].watched.emplace("gone/x", LinkHistory(HistoryOptionsOf(options_), At(100)));
  fold_.EndRefold(std::move(links), {});
  EXPECT_EQ(fold_.link_count(), 1u);
  stream_.Skip(1);
  AdvanceTo(105);
  ExpectWindow(100, 0, false, "demo/b");
  ExpectNothingMore();
}

TEST_F(WindowSourcesTest, APacketDatedFarAheadDoesNotHoldThePositionForEver) {
  constexpr double kYear = 365.25 * 86'400;
  Feed({0, kYear});
  for (int second = 1; second < 100; ++second) {
    Feed({second + 0.5});
    AdvanceTo(second + 1);
  }
  EXPECT_GT(fold_.OldestNeededOffset().value_or(offset_), 100);
  EXPECT_EQ(fold_.counters().ahead_packets, 1u);
}

TEST_F(WindowSourcesTest, OfSourcesThatEndedTheLastHundredAreRemembered) {
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

TEST_F(WindowSourcesTest, SourcesThatVanishedMoreThanADayAgoAreForgottenAsThoseThatEnded) {
  options_.window_length = 1h;
  options_.link_expiry = 1000h;
  Restart(options_);
  FoldOutput output;
  Feed({0});
  for (int i = 0; i < 150; ++i) {
    const std::string name = "pod" + std::to_string(i);
    Apply(Stream(name).Add("a", At(i)).Next(At(i)));
    fold_.Vanish(name, output);
  }
  AdvanceTo(86'400);
  EXPECT_EQ(fold_.ProgressNow().size(), 151u) << "they may come back";
  Apply(Stream("pod0").Add("a", At(0)).Next(At(0)));
  EXPECT_EQ(fold_.counters().repeated_packets, 1u) << "and then send again what is known";
  fold_.Vanish("pod0", output);
  AdvanceTo(86'400 + 3 * 3600);
  EXPECT_EQ(fold_.ProgressNow().size(), 101u);
  EXPECT_THAT(fold_.RunningSources(), SizeIs(101)) << "the one that runs and the last hundred";
  EXPECT_EQ(fold_.link_count(), 1u);
  Apply(Stream("pod0", 2).Add("a", At(90'000)).Next(At(90'000)));
  EXPECT_EQ(fold_.counters().restarted_sources, 0u) << "another one by now";
}

TEST_F(WindowSourcesTest, AnHourThatASourceMissedIsClosedInSteps) {
  options_ = {.window_length = 5s, .link_expiry = 2h, .sequence_length = 3, .close_at_once = 100};
  Restart(options_);
  for (int i = 0; i < 10; ++i) stream_.Add("link" + std::to_string(i), At(0));
  Apply(stream_.Next(At(0)));
  ASSERT_TRUE(fold_.Take(stream_.Next(At(3600)), offset_++));
  std::size_t windows = 0;
  int steps = 0;
  for (bool more = true; more; ++steps) {
    FoldOutput output;
    more = fold_.Close(output);
    EXPECT_LE(output.closed.size(), 110u);
    windows += output.closed.size();
  }
  EXPECT_EQ(windows, 10u * 720);
  EXPECT_GE(steps, 60);
}

TEST_F(WindowSourcesTest, ABatchThatComesAgainIsDroppedAndCounted) {
  const packet::PacketBatch batch = stream_.Add("a", At(0)).Add("a", At(1)).Next(At(1));
  Apply(batch);
  Apply(batch);
  AdvanceTo(5);
  ExpectWindow(0, 2);
  EXPECT_EQ(fold_.counters().repeated_batches, 1u);
  EXPECT_EQ(fold_.counters().repeated_packets, 2u);
  EXPECT_EQ(fold_.counters().packets_in, 4u);
}

TEST_F(WindowSourcesTest, PacketsThatNeverCameAreCounted) {
  Feed({0});
  stream_.Skip(7);
  Feed({1});
  EXPECT_EQ(fold_.counters().missing_packets, 7u);
}

TEST_F(WindowSourcesTest, OfABatchThatWasHadInPartTheRestCounts) {
  Feed({0, 1});
  Stream again("demo", 1);
  Apply(again.Add("a", At(0)).Add("a", At(1)).Add("a", At(2)).Next(At(2)));
  EXPECT_EQ(fold_.counters().repeated_packets, 2u);
  EXPECT_EQ(fold_.counters().repeated_batches, 0u);
  Apply(again.Next(At(5)));
  ExpectWindow(0, 3);
}

TEST_F(WindowSourcesTest, NothingFollowsAFinalMark) {
  Apply(stream_.Add("a", At(0)).Next(At(0), true));
  ExpectWindow(0, 1, true);
  Apply(stream_.Add("a", At(1)).Next(At(50)));
  ExpectNothingMore();
  EXPECT_EQ(fold_.counters().repeated_packets, 1u);
}

TEST_F(WindowSourcesTest, OtherContentInTheSameEpochIsAnotherStream) {
  Feed({0});
  packet::PacketBatch other = Stream("demo", 1).Add("a", At(1)).Add("a", At(2)).Next(At(2));
  other.content = 7;
  Apply(other);
  ExpectWindow(0, 1, true);
  EXPECT_EQ(fold_.counters().restarted_sources, 1u);
  EXPECT_EQ(fold_.counters().repeated_packets, 0u);
}

TEST_F(WindowSourcesTest, ASourceThatStartsAfreshFinishesItsFormerSelf) {
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

TEST_F(WindowSourcesTest, TheGapsOfSourcesThatStartAfreshAddUpAndNoneIsNegative) {
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

TEST_F(WindowSourcesTest, WhatIsAheadOfTheWatermarkIsNotLostWhenASourceStartsAfresh) {
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

TEST_F(WindowSourcesTest, ABatchOfAnOlderEpochIsARepeat) {
  stream_ = Stream("demo", 2);
  Feed({0});
  stream_ = Stream("demo", 1);
  Feed({1});
  EXPECT_EQ(fold_.counters().repeated_batches, 1u);
}

TEST_F(WindowSourcesTest, SourcesHaveWatermarksOfTheirOwn) {
  Feed({0});
  Stream other("other");
  Apply(other.Add("a", At(0)).Next(At(20)));
  EXPECT_THAT(TakeClosed(), SizeIs(4));
  EXPECT_EQ(fold_.Watermark(), At(0));
  AdvanceTo(5);
  ExpectWindow(0, 1);
  ExpectNothingMore();
}

}  // namespace
}  // namespace flowcast::window
