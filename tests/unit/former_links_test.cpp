// What is kept of links that have ended.
#include "libs/window/former_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/stream.h"

namespace flowcast::window {
namespace {

using namespace std::chrono_literals;
using support::At;

LinkSnapshot Remains(double next_start) {
  return {.source = "one",
          .next_start = At(next_start),
          .profile = {.quarters = {{.number = 3, .days = 1, .log_mean = {1, 2}}}},
          .ended = true};
}

TEST(FormerLinksTest, WhatIsTakenIsKnownOnce) {
  FormerLinks former;
  former.Keep("a", Remains(100));
  EXPECT_EQ(former.Take("a", At(100)), Remains(100).profile);
  EXPECT_TRUE(former.Take("a", At(100)).quarters.empty());
  EXPECT_TRUE(former.Take("b", At(100)).quarters.empty());
}

TEST(FormerLinksTest, ALinkThatWasAwayForTooLongOrIsOfEarlierTimesIsNew) {
  for (const auto& [begin, is_known] : {std::pair(At(100) + FormerLinks::kKept, true),
                                        {At(101) + FormerLinks::kKept, false},
                                        {At(99), false}}) {
    FormerLinks former;
    former.Keep("a", Remains(100));
    EXPECT_EQ(!former.Take("a", begin).quarters.empty(), is_known);
  }
}

TEST(FormerLinksTest, WhatIsOfNoUseAnyMoreIsForgottenAndSaid) {
  FormerLinks former;
  former.Keep("a", Remains(100));
  former.Keep("b", Remains(86'400));
  FormerLinks::Changed changed;
  former.Tidy(At(0), At(3600), changed);
  EXPECT_TRUE(changed.empty());
  former.Tidy(At(0), At(7200) + FormerLinks::kKept + 24h, changed);
  EXPECT_THAT(changed, testing::ElementsAre(testing::Pair("a", std::nullopt)));
  former.Clear(changed);
  EXPECT_TRUE(changed.contains("b"));
}

TEST(FormerLinksTest, OfVeryManyTheOldestGoFirst) {
  FormerLinks former;
  for (std::size_t i = 0; i < 2 * FormerLinks::kMost + 1; ++i)
    former.Keep(std::to_string(i), Remains(static_cast<double>(i)));
  FormerLinks::Changed changed;
  former.Tidy(At(0), At(1), changed);
  EXPECT_EQ(changed.size(), FormerLinks::kMost + 1);
  EXPECT_TRUE(changed.contains("0"));
  EXPECT_FALSE(changed.contains(std::to_string(2 * FormerLinks::kMost)));
}

}  // namespace
}  // namespace flowcast::window
