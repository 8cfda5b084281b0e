// Thresholds, capacities and probabilities.
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
  EXPECT_EQ(capacities.Of("demo/a=b"), 2500);
}

TEST(CapacityTest, ANameCountsBeforePatternsAndALongPatternBeforeAShortOne) {
  Capacities capacities;
  for (const char* text : {"100M", "lab/*=1G", "lab/eth*=2G", "lab/eth0=3G", "lab/eth*=4G"})
    AddCapacity(text, capacities);
  EXPECT_EQ(capacities.Of("demo/a"), 1e8);
  EXPECT_EQ(capacities.Of("lab/wlan"), 1e9);
  EXPECT_EQ(capacities.Of("lab/eth1"), 4e9) << "the last that is said of it";
  EXPECT_EQ(capacities.Of("lab/eth0"), 3e9);
  EXPECT_EQ(Capacities().Of("lab/eth0"), std::nullopt);
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

}  // namespace
}  // namespace flowcast::alert
