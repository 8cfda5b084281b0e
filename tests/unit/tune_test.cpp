// tune: candidates out of ranges, and the halving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "libs/base/error.h"
#include "libs/tune/search.h"

namespace flowcast::tune {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

std::string RefusalOf(const std::string& text, bool whole = true) {
  try {
    ParseParameter("hidden", text, whole, 1, 128);
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::vector<Candidate> OneToNine() {
  std::vector<Candidate> candidates;
  for (int i = 1; i <= 9; ++i) candidates.push_back({static_cast<double>(i)});
  return candidates;
}

TEST(Space, TakesAListARangeOrOneValue) {
  EXPECT_THAT(ParseParameter("hidden", "16,32,64", true, 1, 128).choices, ElementsAre(16, 32, 64));
  EXPECT_THAT(ParseParameter("hidden", "48", true, 1, 128).choices, ElementsAre(48));
  const Parameter range = ParseParameter("learning-rate", "1e-4..1e-2", false, 0, 1);
  EXPECT_TRUE(range.choices.empty());
  EXPECT_EQ(range.low, 1e-4);
  EXPECT_EQ(range.high, 1e-2);
}

TEST(Space, RefusesWhatIsNoRangeByName) {
  for (const char* bad : {"", "16,", "16..", "..4", "64..16", "abc", "0", "129", "1.5", "nan", "1..2..3"})
    EXPECT_THAT(RefusalOf(bad),
                HasSubstr("--hidden " + std::string(bad) + ": give whole numbers from 1 to 128"));
}

TEST(Space, DrawsWithinTheRangesTheSameForTheSameSeed) {
  const std::vector<Parameter> space{ParseParameter("a", "4..64", true, 1, 128),
                                     ParseParameter("b", "0..0.5", false, 0, 1)};
  const std::vector<Candidate> drawn = Draw(space, 200, 7);
  ASSERT_THAT(drawn, SizeIs(200));
  EXPECT_EQ(drawn, Draw(space, 200, 7));
  EXPECT_NE(drawn, Draw(space, 200, 8));
  for (const Candidate& candidate : drawn) {
    EXPECT_THAT(candidate[0], AllOf(Ge(4), Le(64)));
    EXPECT_EQ(candidate[0], std::floor(candidate[0]));
    EXPECT_THAT(candidate[1], AllOf(Ge(0), Le(0.5)));
  }
}

TEST(Space, NoCandidateIsDrawnTwiceAndASmallSpaceIsDrawnWhole) {
  const std::vector<Parameter> space{ParseParameter("a", "1,2,3", true, 1, 9),
                                     ParseParameter("b", "0,1", true, 0, 1)};
  const std::vector<Candidate> drawn = Draw(space, 50, 1);
  EXPECT_THAT(drawn, SizeIs(6));
  EXPECT_THAT(std::set<Candidate>(drawn.begin(), drawn.end()), SizeIs(6));
}

TEST(Search, KeepsAThirdOfTheCandidatesFromRungToRung) {
  std::vector<std::vector<double>> seen(3);
  const auto evaluate = [&seen](const Candidate& candidate, std::size_t rung) -> std::optional<double> {
    seen[rung].push_back(candidate[0]);
    return std::abs(candidate[0] - 6);
  };
  const Found found = Search(OneToNine(), {}, {.evaluate = evaluate, .stop = {}, .listen = {}});
  EXPECT_THAT(seen[0], SizeIs(9));
  EXPECT_THAT(seen[1], ElementsAre(6, 5, 7));
  EXPECT_THAT(seen[2], ElementsAre(6));
  EXPECT_EQ(found.trials[found.best.value()].candidate, 5U);
  EXPECT_EQ(found.trials[found.best.value()].rung, 2U);
  EXPECT_FALSE(found.ended_early);
}

TEST(Search, AHigherRungCorrectsALowerOne) {
  const auto evaluate = [](const Candidate& candidate, std::size_t rung) -> std::optional<double> {
    return rung == 0 ? candidate[0] : 10 - candidate[0];
  };
  const Found found = Search(OneToNine(), {}, {.evaluate = evaluate, .stop = {}, .listen = {}});
  EXPECT_EQ(OneToNine()[found.trials[found.best.value()].candidate][0], 3);
}

TEST(Search, WhatCannotBeEvaluatedIsNoBest) {
  const auto evaluate = [](const Candidate& candidate, std::size_t) -> std::optional<double> {
    if (candidate[0] < 3) return std::nullopt;
    if (candidate[0] < 5) return std::numeric_limits<double>::quiet_NaN();
    return candidate[0];
  };
  const Found found = Search(OneToNine(), {}, {.evaluate = evaluate, .stop = {}, .listen = {}});
  EXPECT_EQ(OneToNine()[found.trials[found.best.value()].candidate][0], 5);
  const auto nothing = [](const Candidate&, std::size_t) { return std::optional<double>(); };
  const Found none = Search(OneToNine(), {}, {.evaluate = nothing, .stop = {}, .listen = {}});
  EXPECT_FALSE(none.best);
  EXPECT_THAT(none.trials, SizeIs(9));
}

TEST(Search, StoppedItHasTheBestSoFar) {
  for (const std::size_t most : {0U, 4U, 10U, 12U}) {
    std::size_t evaluated = 0;
    const auto evaluate = [&](const Candidate& candidate, std::size_t) -> std::optional<double> {
      ++evaluated;
      return candidate[0];
    };
    const auto stop = [&] { return evaluated >= most; };
    const Found found = Search(OneToNine(), {}, {.evaluate = evaluate, .stop = stop, .listen = {}});
    EXPECT_TRUE(found.ended_early) << most;
    EXPECT_THAT(found.trials, SizeIs(most));
    EXPECT_EQ(found.best.has_value(), most > 0);
    EXPECT_EQ(found.best ? found.trials[*found.best].candidate : 0U, 0U);
  }
}

TEST(Search, EveryTrialIsTold) {
  std::size_t told = 0;
  const auto evaluate = [](const Candidate&, std::size_t) { return std::optional<double>(1); };
  const Found found = Search(OneToNine(), {.rungs = 2, .keep = 0.5},
                             {.evaluate = evaluate, .stop = {}, .listen = [&told](const Trial&) { ++told; }});
  EXPECT_EQ(told, found.trials.size());
  EXPECT_THAT(found.trials, SizeIs(9 + 5));
}

}  // namespace
}  // namespace flowcast::tune
