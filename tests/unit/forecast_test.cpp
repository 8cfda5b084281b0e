// forecast: the forecaster of a link, and the scores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/forecast/link_forecaster.h"
#include "libs/forecast/score.h"

namespace flowcast::forecast {
namespace {

using namespace std::chrono_literals;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pair;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void ExpectSound(const std::vector<double>& quantiles) {
  ASSERT_EQ(quantiles.size(), kQuantileCount);
  EXPECT_TRUE(std::is_sorted(quantiles.begin(), quantiles.end())) << testing::PrintToString(quantiles);
  EXPECT_GE(quantiles.front(), 0);
  for (const double quantile : quantiles) EXPECT_TRUE(std::isfinite(quantile));
}

class Link : public testing::Test {
 protected:
  /// Of the first horizon.
  std::optional<Settled> Observe(std::int64_t window, double value) {
    for (const Settled& settled :
         forecaster_.Observe(base::FromUnixNanoseconds(window * 5'000'000'000), value)) {
      if (settled.horizon_windows == horizons_.front()) return settled;
    }
    return std::nullopt;
  }
  Forecast Predict(std::optional<double> model = std::nullopt) {
    std::vector<ModelOpinion> opinions;
    if (model) opinions.push_back({"lstm", std::vector<double>(horizons_.size(), *model), {}});
    return forecaster_.Predict({opinions, "m1", {}});
  }
  void AskFor(std::vector<int> horizons) {
    horizons_ = std::move(horizons);
    ForecasterOptions options;
    options.horizons = horizons_;
    forecaster_ = LinkForecaster(options);
  }
  void SetUp() override { AskFor({1}); }

  std::vector<int> horizons_;
  LinkForecaster forecaster_{ForecasterOptions()};
};

void ExpectSound(const Forecast& forecast) {
  ASSERT_FALSE(forecast.horizons.empty());
  for (const HorizonForecast& horizon : forecast.horizons) {
    ExpectSound(horizon.quantiles);
    double weights = 0;
    for (const ExpertOpinion& opinion : horizon.experts) {
      EXPECT_TRUE(std::isfinite(opinion.value)) << opinion.name;
      EXPECT_GE(opinion.weight, 0);
      weights += opinion.weight;
    }
    EXPECT_NEAR(weights, 1, 1e-9);
  }
  for (const double value :
       {forecast.record.mae, forecast.record.mae_persistence, forecast.record.coverage_90}) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

TEST_F(Link, ForecastsZeroBeforeItsFirstWindow) {
  const Forecast forecast = Predict(std::nullopt);
  ExpectSound(forecast);
  EXPECT_EQ(forecast.horizons[0].median(), 0);
  EXPECT_EQ(forecast.quality, Quality::kWarmingUp);
  EXPECT_FALSE(Observe(1, 5));
}

TEST_F(Link, SaysWhatWhenAndForWhichWindow) {
  AskFor({3});
  Observe(10, 7);
  const Forecast forecast = Predict();
  EXPECT_EQ(forecast.target, "packets");
  EXPECT_EQ(forecast.last_actual, 7);
  EXPECT_EQ(forecast.made_at, base::FromUnixNanoseconds(55'000'000'000));
  EXPECT_EQ(forecast.horizons[0].target_start, base::FromUnixNanoseconds(65'000'000'000));
  EXPECT_EQ(forecast.horizons[0].horizon_windows, 3);
}

TEST_F(Link, ListsTheModelOnlyWhenItSpoke) {
  Observe(1, 5);
  EXPECT_EQ(Predict().horizons[0].experts.size(), 5U);
  EXPECT_EQ(Predict().model_version, "");
  const Forecast forecast = Predict(6);
  ASSERT_EQ(forecast.horizons[0].experts.size(), 6U);
  EXPECT_EQ(forecast.horizons[0].experts.back().name, "lstm");
  EXPECT_EQ(forecast.horizons[0].experts.back().value, 6);
  EXPECT_EQ(forecast.model_version, "m1");
}

TEST_F(Link, SettlesAForecastThreeWindowsLaterWhenAskedThreeAhead) {
  AskFor({3});
  for (std::int64_t window = 0; window < 3; ++window) {
    EXPECT_FALSE(Observe(window, static_cast<double>(window)));
    Predict();
  }
  const auto settled = Observe(3, 10);
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->actual, 10);
  EXPECT_EQ(settled->persistence, 0);
  EXPECT_FALSE(settled->had_model);
  EXPECT_EQ(settled->target_start, base::FromUnixNanoseconds(15'000'000'000));
}

TEST_F(Link, ForgetsWhatIsPendingAcrossAGap) {
  AskFor({3});
  for (std::int64_t window = 0; window < 3; ++window) {
    Observe(window, 1);
    Predict();
  }
  EXPECT_FALSE(Observe(4, 1));
  EXPECT_FALSE(Observe(5, 1));
  EXPECT_EQ(Predict().record.settled, 0U);
}

TEST_F(Link, IgnoresAndCountsRepeatsOldWindowsAndValuesThatAreNone) {
  Observe(5, 1);
  Predict();
  for (const double value : {kNan, kInfinity, -kInfinity, -1.0, 1e19}) EXPECT_FALSE(Observe(6, value));
  EXPECT_FALSE(Observe(5, 2));
  EXPECT_FALSE(Observe(4, 2));
  EXPECT_EQ(forecaster_.ignored(), 7U);
  EXPECT_TRUE(Observe(6, 1));
}

TEST_F(Link, TakesAModelValueThatIsNoneForAbsentAndANegativeOneForZero) {
  Observe(1, 5);
  for (const double value : {kNan, kInfinity, -kInfinity, 1e300}) {
    EXPECT_EQ(Predict(value).horizons[0].experts.size(), 5U);
  }
  EXPECT_EQ(forecaster_.ignored(), 3U) << "not a number says that there is nothing to say";
  EXPECT_EQ(Predict(-3).horizons[0].experts.back().value, 0);
}

TEST_F(Link, CountsTheLastAnswerWhenAskedAgain) {
  Observe(1, 5);
  Predict(9);
  Predict();
  EXPECT_FALSE(Observe(2, 5)->had_model);
  EXPECT_FALSE(Observe(3, 5));
}

TEST_F(Link, KeepsARecordOfItsLastForecastsInBlocks) {
  base::Random random(3);
  std::vector<Settled> settled;
  for (std::int64_t window = 0; window < 521; ++window) {
    if (const auto one = Observe(window, 100 + 50 * random.Uniform())) settled.push_back(*one);
    Predict();
  }
  ASSERT_EQ(settled.size(), 520U);
  // 520 = 10 blocks of 50 and 20 more: the record has these and the four blocks before.
  double error = 0;
  double persistence = 0;
  double covered = 0;
  for (std::size_t i = 300; i < 520; ++i) {
    error += std::abs(settled[i].median - settled[i].actual) / 220;
    persistence += std::abs(settled[i].persistence - settled[i].actual) / 220;
    covered += settled[i].actual >= settled[i].low && settled[i].actual <= settled[i].high ? 1.0 / 220 : 0;
  }
  const LiveRecord record = Predict().record;
  EXPECT_EQ(record.settled, 520U);
  EXPECT_NEAR(record.mae, error, 1e-3);
  EXPECT_NEAR(record.mae_persistence, persistence, 1e-3);
  EXPECT_NEAR(record.coverage_90, covered, 1e-9);
}

TEST_F(Link, SettlesEveryHorizonInItsOwnTime) {
  AskFor({1, 2, 6});
  std::map<int, int> settled;
  for (std::int64_t window = 0; window < 20; ++window) {
    for (const Settled& one :
         forecaster_.Observe(base::EventTime(window * 5s), static_cast<double>(window))) {
      ++settled[one.horizon_windows];
      EXPECT_EQ(one.persistence, static_cast<double>(window - one.horizon_windows));
    }
    Predict();
  }
  EXPECT_THAT(settled, ElementsAre(Pair(1, 19), Pair(2, 18), Pair(6, 14)));
}

TEST_F(Link, RefusesHorizonsThatAreNone) {
  for (const std::vector<int>& bad : {std::vector<int>{}, {0}, {-1}, {2, 1}, {1, 1}, {1001}}) {
    ForecasterOptions options;
    options.horizons = bad;
    EXPECT_THROW(LinkForecaster{options}, base::ConfigError);
  }
}

TEST_F(Link, HearsNoModelOfAnotherNameOrLength) {
  Observe(1, 5);
  const std::vector<ModelOpinion> opinions{{"oracle", {1}, {}}, {"lstm", {1, 2}, {}}};
  EXPECT_EQ(forecaster_.Predict({opinions, "m1", {}}).horizons[0].experts.size(), 5U);
  EXPECT_EQ(forecaster_.ignored(), 2U);
}

TEST_F(Link, IsJudgedByItsRecordAndItsModel) {
  EXPECT_EQ(ToString(Quality::kWarmingUp), "warming_up");
  base::Random random(1);
  for (std::int64_t window = 0; window < 300; ++window) {
    Observe(window, 100 + random.Normal());
    Predict();
  }
  EXPECT_EQ(Predict().quality, Quality::kNaive);
  EXPECT_EQ(Predict(100).quality, Quality::kGood);
}

TEST_F(Link, OfConstantLoadIsForecastExactlyAndSurely) {
  for (std::int64_t window = 0; window < 300; ++window) {
    Observe(window, 64);
    Predict();
  }
  const Forecast forecast = Predict();
  for (const double quantile : forecast.horizons[0].quantiles) EXPECT_NEAR(quantile, 64, 1e-9);
}

// Random series of the unkind sort: zeros, constants, noise, jumps by 1e9, values that are none.
double UnkindValue(base::Random& random) {
  switch (random.Below(8)) {
    case 0:
      return 0;
    case 1:
      return 1e9 * random.Uniform();
    case 2:
      return 1e18;
    case 3:
      return kNan;
    case 4:
      return -random.Uniform();
    case 5:
      return random.Below(2) == 0 ? kInfinity : 5e-324;
    default:
      return 100 * random.Uniform();
  }
}

TEST_F(Link, StaysFiniteAndOrderedWhateverArrives) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    base::Random random(seed);
    AskFor({1, 1 + static_cast<int>(1 + seed % 4)});
    std::int64_t window = 0;
    double value = 0;
    for (int step = 0; step < 400; ++step) {
      if (random.Below(4) == 0 || step % 100 < 50) value = UnkindValue(random);
      window += random.Below(50) == 0 ? 2 : 1;
      Observe(window, value);
      ExpectSound(random.Below(2) == 0 ? Predict() : Predict(UnkindValue(random)));
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(forecaster_.ignored(), 10U);
  }
}

TEST_F(Link, DepartsFromPersistenceByAFewOfItsErrorsAtMostWhateverAModelSays) {
  base::Random random(5);
  for (int window = 0; window < 400; ++window) {
    const double value = 100 + 10 * random.Normal();
    Observe(window, value);
    // Right for long, so that it is believed, and then off by orders of magnitude.
    const Forecast forecast = Predict(window < 399 ? 100 : 1e6);
    const double departure = forecast.horizons[0].median() - value;
    EXPECT_LE(std::abs(departure), kFurthestDeparture * 25) << window;
    if (window == 399) {
      EXPECT_GT(departure, 40);
    }
  }
}

TEST(LinkForecaster, IsDeterministic) {
  const auto run = [] {
    LinkForecaster forecaster{ForecasterOptions()};
    const std::vector<double> medians_of_model(5, 42);
    base::Random random(9);
    std::vector<double> medians;
    for (std::int64_t i = 0; i < 500; ++i) {
      forecaster.Observe(base::EventTime(i * 5s), 100 * random.Exponential(1));
      const std::vector<ModelOpinion> opinions{{"lstm", medians_of_model, {}}};
      for (const auto& horizon : forecaster.Predict({opinions, "m", {}}).horizons) {
        medians.push_back(horizon.median());
      }
    }
    return medians;
  };
  EXPECT_EQ(run(), run());
}

struct Outcome {
  double coverage;  // of the last 1,000
  double skill;
};

template <typename Series, typename Model>
Outcome Play(int steps, int horizon, Series next, Model model) {
  ForecasterOptions options;
  options.horizons = {horizon};
  LinkForecaster forecaster(options);
  ScoreKeeper scores;
  int covered = 0;
  for (int step = 0; step < steps; ++step) {
    const double value = next(step);
    for (const Settled& settled : forecaster.Observe(base::EventTime(step * 5s), value)) {
      scores.Add(settled.actual, settled.median, settled.persistence);
      const bool within = settled.actual >= settled.low && settled.actual <= settled.high;
      covered += step >= steps - 1000 && within ? 1 : 0;
    }
    std::vector<ModelOpinion> opinions;
    if (const std::optional<double> said = model(value)) opinions.push_back({"lstm", {*said}, {}});
    forecaster.Predict({opinions, "m", {}});
  }
  return {covered / 1000.0, scores.Result().skill.value_or(0)};
}

std::optional<double> NoModel(double) { return std::nullopt; }

TEST(Coverage, OfTheNinetyPercentIntervalIsNinetyPercentOnNoise) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    base::Random random(seed);
    const auto outcome = Play(
        3000, 1, [&](int) { return 1000 + 50 * random.Normal(); }, NoModel);
    EXPECT_THAT(outcome.coverage, DoubleNear(0.9, 0.03)) << seed;
  }
}

TEST(Coverage, RecoversFromAChangeOfScale) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    base::Random random(seed);
    const auto next = [&](int step) { return 10'000 + (step < 2000 ? 10 : 500) * random.Normal(); };
    EXPECT_THAT(Play(3000, 1, next, NoModel).coverage, DoubleNear(0.9, 0.03)) << seed;
  }
}

// The promise: never worse than persistence by more than this.
constexpr double kLargestLoss = 0.015;

TEST(Regret, OverRandomWalksWithABadModelIsSmall) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (const double badness : {0.1, 1.0, 10.0}) {
      base::Random random(seed);
      double walk = 1e5;
      const auto next = [&](int) { return walk = std::max(0.0, walk + 1000 * random.Normal()); };
      const auto model = [&](double value) {
        return std::optional(value + badness * 1000 * random.Normal());
      };
      EXPECT_GT(Play(2000, 1, next, model).skill, -kLargestLoss) << seed << " " << badness;
    }
  }
}

TEST(Regret, IsAGainWhenTheModelIsGood) {
  base::Random random(1);
  const auto value_at = [](int step) { return 1000 + 500 * std::sin(step * 1.2); };
  int now = 0;
  const auto next = [&](int step) { return value_at(now = step) + 20 * random.Normal(); };
  const auto outcome = Play(1000, 1, next, [&](double) { return std::optional(value_at(now + 1)); });
  EXPECT_GT(outcome.skill, 0.85);
}

TEST(Scores, AreAbsentWithoutForecasts) {
  const Scores scores = ScoreKeeper().Result();
  EXPECT_EQ(scores.count, 0U);
  for (const auto& value : {scores.mse, scores.rmse, scores.mae, scores.mape, scores.r2, scores.skill}) {
    EXPECT_FALSE(value);
  }
}

TEST(Scores, AreWhatTheirFormulasSay) {
  ScoreKeeper keeper;
  keeper.Add(2, 3, 6);
  keeper.Add(4, 4, 2);
  keeper.Add(0, 1, 4);
  const Scores scores = keeper.Result();
  EXPECT_DOUBLE_EQ(*scores.mse, 2.0 / 3);
  EXPECT_DOUBLE_EQ(*scores.rmse, std::sqrt(2.0 / 3));
  EXPECT_DOUBLE_EQ(*scores.mae, 2.0 / 3);
  EXPECT_DOUBLE_EQ(*scores.mape, 0.25);
  EXPECT_EQ(scores.left_out_of_mape, 1U);
  EXPECT_DOUBLE_EQ(*scores.r2, 0.75);
  EXPECT_DOUBLE_EQ(*scores.mae_persistence, 10.0 / 3);
  EXPECT_DOUBLE_EQ(*scores.skill, 0.8);
}

TEST(Scores, OfConstantZeroLeaveOutWhatIsUndefined) {
  ScoreKeeper keeper;
  for (int i = 0; i < 5; ++i) keeper.Add(0, 1, 0);
  const Scores scores = keeper.Result();
  EXPECT_EQ(*scores.mae, 1);
  EXPECT_FALSE(scores.mape);
  EXPECT_FALSE(scores.r2);
  EXPECT_FALSE(scores.skill);
}

TEST(Scores, IgnoreAndCountWhatIsNotFinite) {
  ScoreKeeper keeper;
  keeper.Add(kNan, 1, 1);
  keeper.Add(1, kInfinity, 1);
  keeper.Add(1, 1, 1e200);
  EXPECT_EQ(keeper.Result().ignored, 3U);
  EXPECT_EQ(keeper.Result().count, 0U);
}

}  // namespace
}  // namespace flowcast::forecast
