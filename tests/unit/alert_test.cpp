// Thresholds, capacities and the life of an alert.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/alert/alert.h"
#include "libs/alert/threshold.h"
#include "libs/base/error.h"
#include "tests/support/stream.h"

namespace flowcast::alert {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::HasSubstr;

TEST(ThresholdTest, EveryFormIsUnderstood) {
  EXPECT_EQ(Threshold::Parse("100").kind, Threshold::Kind::kNumber);
  EXPECT_EQ(Threshold::Parse("100").value, 100);
  EXPECT_EQ(Threshold::Parse("2MB").kind, Threshold::Kind::kBytes);
  EXPECT_EQ(Threshold::Parse("2MB").value, 2e6);
  EXPECT_EQ(Threshold::Parse("1.5kB").value, 1500);
  EXPECT_EQ(Threshold::Parse("64B").value, 64);
  EXPECT_EQ(Threshold::Parse("3GB").value, 3e9);
  EXPECT_EQ(Threshold::Parse("80%").kind, Threshold::Kind::kShareOfCapacity);
  EXPECT_EQ(Threshold::Parse("80%").value, 0.8);
  EXPECT_EQ(Threshold::Parse("p95").kind, Threshold::Kind::kPercentile);
  EXPECT_EQ(Threshold::Parse("p95").percentile, "p95");
}

TEST(ThresholdTest, AnythingElseIsRefusedWithTheFormsThereAre) {
  for (const char* text : {"", "x", "-1", "0", "10 MB", "10Mb", "%", "p42", "nan", "inf", "1e400", "5%%"}) {
    try {
      Threshold::Parse(text);
      FAIL() << text;
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("80%"));
    }
  }
}

TEST(ThresholdTest, FitsTheTargetThatItIsMeasuredIn) {
  const auto fits = [](const char* text, const char* target) { return Threshold::Parse(text).Fits(target); };
  EXPECT_TRUE(fits("100", "packets"));
  EXPECT_FALSE(fits("100", "bytes"));
  EXPECT_TRUE(fits("1MB", "bytes"));
  EXPECT_FALSE(fits("1MB", "packets"));
  EXPECT_TRUE(fits("80%", "bytes"));
  EXPECT_FALSE(fits("80%", "packets"));
  EXPECT_TRUE(fits("p99", "packets"));
  EXPECT_TRUE(fits("p99", "bytes"));
}

class ResolveTest : public testing::Test {
 protected:
  std::optional<double> Of(const char* threshold, const char* link) const {
    return Resolve(Threshold::Parse(threshold), link, 5s, capacities_, percentiles_);
  }
  Capacities capacities_;
  PercentilesByLink percentiles_{{"", {{"p95", 50}}}, {"demo/a", {{"p95", 70}}}};
};

TEST_F(ResolveTest, AnAbsoluteThresholdIsTheSameForEveryLink) {
  EXPECT_EQ(Of("100", "x"), 100);
  EXPECT_EQ(Of("1kB", "x"), 1000);
}

TEST_F(ResolveTest, AShareIsThatOfTheLinksCapacityOrOfTheGeneralOne) {
  EXPECT_EQ(Of("80%", "demo/a"), std::nullopt);
  AddCapacity("demo/a=1G", capacities_);
  EXPECT_EQ(Of("80%", "demo/b"), std::nullopt);
  AddCapacity("100M", capacities_);
  EXPECT_EQ(Of("80%", "demo/a"), 0.8 * 1e9 / 8 * 5);
  EXPECT_EQ(Of("80%", "demo/b"), 0.8 * 1e8 / 8 * 5);
}

TEST_F(ResolveTest, APercentileIsTheLinksOwnOrThatOfAll) {
  EXPECT_EQ(Of("p95", "demo/a"), 70);
  EXPECT_EQ(Of("p95", "demo/b"), 50);
  EXPECT_EQ(Of("p99", "demo/a"), std::nullopt);
  percentiles_.clear();
  EXPECT_EQ(Of("p95", "demo/a"), std::nullopt);
}

TEST(CapacityTest, ALinksNameMayContainAnEqualsSign) {
  Capacities capacities;
  AddCapacity("demo/a=b=2.5k", capacities);
  EXPECT_EQ(capacities.at("demo/a=b"), 2500);
}

TEST(CapacityTest, WhatIsNoCapacityIsRefused) {
  Capacities capacities;
  for (const char* text : {"", "G", "a=", "a=G", "1X", "a=-1G", "0"}) {
    EXPECT_THROW(AddCapacity(text, capacities), base::ConfigError) << text;
  }
  EXPECT_TRUE(capacities.empty());
}

forecast::HorizonForecast Horizon(std::vector<double> quantiles) {
  return {.horizon_windows = 1, .target_start = At(5), .quantiles = std::move(quantiles)};
}

TEST(ProbabilityTest, IsLinearBetweenTheQuantiles) {
  const auto horizon = Horizon({5, 10, 25, 50, 75, 90, 95});
  EXPECT_DOUBLE_EQ(ProbabilityAbove(horizon, 50), 0.5);
  EXPECT_DOUBLE_EQ(ProbabilityAbove(horizon, 5), 0.95);
  EXPECT_NEAR(ProbabilityAbove(horizon, 60), 0.4, 1e-12);
  EXPECT_NEAR(ProbabilityAbove(horizon, 92), 0.08, 1e-12);
}

TEST(ProbabilityTest, IsHalvedBeyondTheOutermostQuantiles) {
  const auto horizon = Horizon({5, 10, 25, 50, 75, 90, 95});
  EXPECT_DOUBLE_EQ(ProbabilityAbove(horizon, 1), 0.975);
  EXPECT_NEAR(ProbabilityAbove(horizon, 1000), 0.025, 1e-12);
}

TEST(ProbabilityTest, FallsWithTheThresholdAlsoWhenQuantilesCoincide) {
  const auto horizon = Horizon({10, 10, 10, 10, 20, 20, 20});
  double before = 1;
  for (double threshold = 0; threshold < 30; threshold += 0.5) {
    const double probability = ProbabilityAbove(horizon, threshold);
    EXPECT_LE(probability, before);
    EXPECT_GT(probability, 0);
    before = probability;
  }
}

class LoadAlertTest : public testing::Test {
 protected:
  /// A forecast of this median, made after the `number`th window.
  std::optional<Alert> Forecast(double median, const std::string& link = "demo/a") {
    ++number_;
    forecast::Forecast forecast{.link = link,
                                .made_at = At(5 * number_),
                                .window_length = 5s,
                                .target = "packets",
                                .last_actual = 80,
                                .model_version = "v1"};
    forecast.horizons.push_back(Horizon(
        {median * 0.7, median * 0.8, median * 0.9, median, median * 1.1, median * 1.2, median * 1.3}));
    forecast.horizons[0].target_start = forecast.made_at;
    return alert_.Evaluate(forecast, 100);
  }
  int number_ = 0;
  RuleOptions rule_;
  LoadAlert alert_{rule_};
};

TEST_F(LoadAlertTest, IsRaisedOnceAndResolvedOnce) {
  EXPECT_FALSE(Forecast(90));
  EXPECT_FALSE(Forecast(100)) << "the threshold itself is no excess";
  const auto fired = Forecast(120);
  ASSERT_TRUE(fired);
  EXPECT_EQ(fired->state, State::kFiring);
  EXPECT_FALSE(Forecast(150));
  EXPECT_TRUE(alert_.firing());
  const auto resolved = Forecast(50);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->state, State::kResolved);
  EXPECT_EQ(resolved->started_at, fired->started_at);
  EXPECT_EQ(resolved->resolved_at, At(25));
  EXPECT_FALSE(Forecast(40));
}

TEST_F(LoadAlertTest, NothingChangesBetweenTheTwoThresholds) {
  Forecast(120);
  EXPECT_FALSE(Forecast(95));
  EXPECT_FALSE(Forecast(105));
  EXPECT_FALSE(Forecast(90));
  EXPECT_TRUE(Forecast(89));
  EXPECT_FALSE(Forecast(95));
  EXPECT_TRUE(Forecast(101)) << "a new condition";
}

TEST_F(LoadAlertTest, SaysWhatIsExpectedWhenAndHowSure) {
  const Alert alert = *Forecast(120);
  EXPECT_EQ(alert.link, "demo/a");
  EXPECT_EQ(alert.threshold, 100);
  EXPECT_EQ(alert.predicted, 120);
  EXPECT_EQ(alert.low, 84);
  EXPECT_EQ(alert.high, 156);
  EXPECT_GT(alert.probability, 0.5);
  EXPECT_EQ(alert.last_actual, 80);
  EXPECT_EQ(alert.model_version, "v1");
  EXPECT_THAT(alert.summary,
              HasSubstr("demo/a will pass 100 packets per 5s within 5.0 s: 120 expected (84 to 156"));
}

TEST_F(LoadAlertTest, TheFingerprintIsThatOfRuleLinkAndTarget) {
  const std::string first = Forecast(120)->fingerprint;
  EXPECT_EQ(Forecast(50)->fingerprint, first);
  EXPECT_EQ(Forecast(500)->fingerprint, first);
  Forecast(50);
  EXPECT_NE(Forecast(120, "demo/b")->fingerprint, first);
  EXPECT_EQ(first, "168e4ed67f2e1ef1");
}

}  // namespace
}  // namespace flowcast::alert
