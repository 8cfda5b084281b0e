// Rules tried on windows: what would have fired, and whether it came.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/alert/rehearsal.h"
#include "libs/base/error.h"
#include "tests/support/stream.h"

namespace flowcast::alert {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::IsEmpty;
using testing::SizeIs;

class RehearsalTest : public testing::Test {
 protected:
  void Feed(const std::vector<double>& packets) {
    for (const double value : packets)
      rehearsal_.Add(
          {.link = "demo/a", .start = At(5 * number_++), .length = 5s, .values = {{"packets", value}}});
  }
  void Feed(std::size_t windows, double packets) { Feed(std::vector<double>(windows, packets)); }

  int number_ = 0;
  Rehearsal rehearsal_{BuiltInRules({}), {.warm_up = 3}};
};

TEST_F(RehearsalTest, AlertsBeginWhenALinkHasEnoughWindowsInARow) {
  Feed({200, 200});
  number_ += 5;
  Feed({200, 200});
  EXPECT_EQ(rehearsal_.forecasts(), 0u);
  Feed({200});
  EXPECT_EQ(rehearsal_.forecasts(), 1u);
  EXPECT_THAT(rehearsal_.episodes(), SizeIs(1));
}

TEST_F(RehearsalTest, ALoadThatWasAboveAlreadyGivesNoLead) {
  Feed(10, 50);
  Feed(5, 500);
  Feed(10, 10);
  ASSERT_THAT(rehearsal_.episodes(), SizeIs(1));
  const Episode& episode = rehearsal_.episodes()[0];
  EXPECT_TRUE(episode.was_above);
  EXPECT_EQ(episode.LeadSeconds(), 0);
  EXPECT_TRUE(episode.resolved_at);
}

TEST_F(RehearsalTest, ARampIsSeenComing) {
  std::vector<double> ramp;
  for (int i = 0; i < 60; ++i) ramp.push_back(20 + 2 * i);
  Feed(ramp);
  ASSERT_THAT(rehearsal_.episodes(), SizeIs(1));
  const Episode& episode = rehearsal_.episodes()[0];
  EXPECT_FALSE(episode.was_above);
  ASSERT_TRUE(episode.passed_at);
  EXPECT_EQ(*episode.passed_at, At(5 * 41)) << "102 packets are the first above 100";
  EXPECT_GE(*episode.LeadSeconds(), 5);
  EXPECT_FALSE(episode.resolved_at);
}

TEST_F(RehearsalTest, WhatNeverCameHasNoLead) {
  std::vector<double> ramp;
  for (int i = 0; i < 50; ++i) ramp.push_back(2 * i + 1);
  Feed(ramp);
  Feed(20, 10);
  for (const Episode& episode : rehearsal_.episodes()) {
    EXPECT_FALSE(episode.passed_at);
    EXPECT_FALSE(episode.LeadSeconds());
    EXPECT_TRUE(episode.resolved_at);
  }
}

TEST_F(RehearsalTest, TargetsThatAreNotThereAreLeftOut) {
  rehearsal_ =
      Rehearsal(BuiltInRules({.threshold = Threshold::Parse("5"), .target = "jitter"}), {.warm_up = 1});
  Feed(5, 500);
  EXPECT_EQ(rehearsal_.forecasts(), 0u);
  EXPECT_THAT(rehearsal_.episodes(), IsEmpty());
}

TEST(Rehearsal, RulesAboutOtherHorizonsAreRefused) {
  EXPECT_THROW(Rehearsal(RuleSet({{.horizon = 3}}, {}), {.horizons = {1, 2}}), base::ConfigError);
}

}  // namespace
}  // namespace flowcast::alert
