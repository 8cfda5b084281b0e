// When to learn again: the rule, and how drift is seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/training/drift_watch.h"
#include "libs/training/retrain_rule.h"
#include "tests/support/stream.h"

namespace flowcast::training {
namespace {

using namespace std::chrono_literals;
using support::At;

Standing After(base::Duration since, std::uint64_t sequences = 1, std::optional<double> drift = {}) {
  return {
      .trained = true, .since_training = since, .new_sequences = sequences, .newer = true, .drift = drift};
}

TEST(RetrainRule, LearnsAtFirstAndThenWhenTheTimeHasComeButNeverWithoutNewWindows) {
  EXPECT_EQ(DueFor({}, {.trained = false, .newer = false}), std::nullopt);
  EXPECT_EQ(DueFor({}, {.trained = false, .newer = true}), Reason::kFirst);
  EXPECT_EQ(DueFor({.every = 1h}, After(59min)), std::nullopt);
  EXPECT_EQ(DueFor({.every = 1h}, After(1h)), Reason::kSchedule);
  Standing stale = After(2h, 1000, 9);
  stale.newer = false;
  EXPECT_EQ(DueFor({.every = 1h, .after_sequences = 1}, stale), std::nullopt);
}

TEST(RetrainRule, LearnsFromAnAmountBeforeTheTime) {
  EXPECT_EQ(DueFor({.after_sequences = 100}, After(1min, 99)), std::nullopt);
  EXPECT_EQ(DueFor({.after_sequences = 100}, After(1min, 100)), Reason::kAmount);
  EXPECT_EQ(DueFor({.after_sequences = 0}, After(1min, 1'000'000)), std::nullopt);
}

TEST(RetrainRule, LearnsWhenTheErrorHasDriftedByMoreThanTheRatio) {
  EXPECT_EQ(DueFor({.drift_ratio = 1.2}, After(1min, 1, 1.2)), std::nullopt);
  EXPECT_EQ(DueFor({.drift_ratio = 1.2}, After(1min, 1, 1.21)), Reason::kDrift);
  EXPECT_EQ(DueFor({.drift_ratio = 0}, After(1min, 1, 50)), std::nullopt) << "switched off";
}

class DriftTest : public testing::Test {
 protected:
  /// Forecasts of so many windows in a row, one window ahead.
  void Feed(int windows, double error, const std::string& link = "a", const std::string& version = "v1") {
    for (int i = 0; i < windows; ++i, ++window_[link]) {
      const int window = window_[link];
      watch_.Add(version, At(5 * (window + 1)),
                 {.link = link,
                  .made_at = At(5 * window),
                  .known_at = At(5 * (window + 1)),
                  .window_length = 5s,
                  .error = error,
                  .error_persistence = 10});
    }
  }
  DriftWatch watch_;
  std::map<std::string, int> window_;
};

constexpr int kEnough = DriftWatch::kPart + DriftWatch::kBlockWindows + 2;

TEST_F(DriftTest, IsTheErrorNowOverTheErrorAtFirst) {
  Feed(kEnough, 8);
  EXPECT_EQ(watch_.ratio(), std::nullopt) << "there is no second part yet";
  ASSERT_TRUE(watch_.recent());
  EXPECT_NEAR(*watch_.recent(), 0.8, 1e-9);
  Feed(kEnough, 8);
  ASSERT_TRUE(watch_.ratio());
  EXPECT_NEAR(*watch_.ratio(), 1, 1e-9);
  Feed(kEnough, 12);
  EXPECT_NEAR(*watch_.ratio(), 1.5, 1e-9);
  Feed(kEnough, 8);
  EXPECT_NEAR(*watch_.ratio(), 1, 1e-9) << "it has gone again";
}

TEST_F(DriftTest, AnotherVersionBeginsAnew) {
  Feed(2 * kEnough, 8);
  Feed(kEnough / 2, 20, "a", "v2");
  EXPECT_EQ(watch_.version(), "v2");
  EXPECT_EQ(watch_.ratio(), std::nullopt);
  Feed(2 * kEnough, 20, "a", "v2");
  EXPECT_NEAR(*watch_.ratio(), 1, 1e-9);
}

TEST_F(DriftTest, ALinkThatLagsBehindDoesNotBringTheOldVersionBack) {
  Feed(100, 8);
  Feed(10, 8, "a", "v2");
  Feed(50, 8, "b", "v1");
  EXPECT_EQ(watch_.version(), "v2");
}

TEST_F(DriftTest, ForecastsOfTheVersionBeforeDoNotCount) {
  watch_.Add("v2", At(500),
             {.link = "a",
              .made_at = At(495),
              .known_at = At(500),
              .window_length = 5s,
              .error = 1000,
              .error_persistence = 1});
  window_["a"] = 101;
  Feed(kEnough, 8, "a", "v2");
  EXPECT_NEAR(*watch_.recent(), 0.8, 1e-9);
}

TEST_F(DriftTest, AnewAfterARestartAndNothingWithoutAModel) {
  Feed(2 * kEnough, 8);
  watch_.Restart();
  EXPECT_EQ(watch_.ratio(), std::nullopt);
  Feed(2 * kEnough, 16);
  EXPECT_NEAR(*watch_.ratio(), 1, 1e-9) << "what it had come to is the measure";
  DriftWatch idle;
  idle.Add("", At(10), {.link = "a", .known_at = At(10), .window_length = 5s});
  EXPECT_EQ(idle.recent(), std::nullopt);
}

TEST_F(DriftTest, CountsTimeNotLinks) {
  for (int i = 0; i < 30; ++i) {
    for (int link = 0; link < 50; ++link) Feed(1, 8, std::to_string(link));
  }
  EXPECT_EQ(watch_.ratio(), std::nullopt) << "1,500 forecasts, but of 30 windows";
}

TEST_F(DriftTest, APauseIsBridged) {
  Feed(2 * kEnough, 8);
  window_["a"] += 5000;
  EXPECT_NEAR(*watch_.ratio(), 1, 1e-9);
  Feed(1, 8);
  EXPECT_EQ(watch_.ratio(), std::nullopt) << "too few of the last windows are known";
  Feed(kEnough, 12);
  EXPECT_NEAR(*watch_.ratio(), 1.5, 1e-9);
}

}  // namespace
}  // namespace flowcast::training
