// Live scores: sums by horizon, and what of them is recent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/forecast/live_scores.h"

namespace flowcast::forecast {
namespace {

Settled Of(int horizon, double actual, double median, double persistence) {
  return {.actual = actual,
          .median = median,
          .low = median - 1,
          .high = median + 1,
          .persistence = persistence,
          .horizon_windows = horizon};
}

TEST(LiveScoresTest, KeepsHorizonsApart) {
  LiveScores scores;
  scores.Add(Of(1, 10, 11, 14));
  scores.Add(Of(1, 10, 8, 10));
  scores.Add(Of(3, 10, 10, 10));
  EXPECT_EQ(scores.all().at(1), (ScoreSums{.settled = 2, .covered = 1, .error = 3, .persistence_error = 4}));
  EXPECT_EQ(scores.all().at(1).skill(), 0.25);
  EXPECT_EQ(scores.all().at(1).coverage(), 0.5);
  EXPECT_EQ(scores.all().at(3).skill(), std::nullopt) << "persistence made no error";
  EXPECT_EQ(scores.Recent(), scores.all()) << "all of it is recent yet";
  EXPECT_EQ(ScoreSums().coverage(), std::nullopt);
}

TEST(LiveScoresTest, ForgetsWhatIsOldInTheRecentOnes) {
  LiveScores scores;
  for (std::uint64_t i = 0; i < LiveScores::kRecent; ++i) scores.Add(Of(1, 10, 20, 11));
  for (std::uint64_t i = 0; i < LiveScores::kRecent; ++i) scores.Add(Of(1, 10, 10, 11));
  EXPECT_LT(*scores.Recent().at(1).skill(), 0);
  scores.Add(Of(1, 10, 10, 11));
  EXPECT_EQ(scores.Recent().at(1).skill(), 1);
  EXPECT_EQ(scores.Recent().at(1).settled, LiveScores::kRecent + 1);
  EXPECT_EQ(scores.all().at(1).settled, 2 * LiveScores::kRecent + 1);
}

}  // namespace
}  // namespace flowcast::forecast
