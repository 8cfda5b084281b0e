// forecast: experts, their mixture and the interval.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "libs/base/random.h"
#include "libs/forecast/interval.h"
#include "libs/forecast/mixture.h"
#include "libs/forecast/online_experts.h"

namespace flowcast::forecast {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<int> kHorizons{1, 2, 3, 6, 12};

/// Experts and the history that they share, fed value by value.
class ExpertsTest : public testing::Test {
 protected:
  void Observe(double value) {
    history_.Add(value);
    for (Expert* const expert : experts_.all()) expert->Observe(history_);
  }
  std::vector<float> Ask(std::string_view name, const Season& season = {}) {
    std::vector<float> values(kHorizons.size());
    for (Expert* const expert : experts_.all()) {
      if (expert->name() == name) expert->Forecast(history_, season, values);
    }
    return values;
  }

  History history_{HistoryFor(kHorizons)};
  OnlineExperts experts_{kHorizons};
};

TEST_F(ExpertsTest, AreNamedInTheOrderOfEveryOutput) {
  std::vector<std::string_view> names;
  for (Expert* const expert : experts_.all()) names.push_back(expert->name());
  EXPECT_THAT(names, ElementsAreArray(kExpertNames.begin(), kExpertNames.begin() + kOnlineExperts));
}

TEST_F(ExpertsTest, SayTheFirstValueAfterIt) {
  Observe(5);
  for (Expert* const expert : experts_.all()) {
    if (expert->name() != "seasonal") {
      EXPECT_THAT(Ask(expert->name()), Each(5)) << expert->name();
    }
  }
}

TEST_F(ExpertsTest, MeanLooksBackOnItsLengthOnlyAndForgetsLargeValuesWhole) {
  Observe(1e17);
  for (std::size_t i = 0; i < MovingMean::kLength; ++i) Observe(i % 2 == 0 ? 0.25 : 0.5);
  EXPECT_EQ(Ask("mean")[0], 0.375F);
}

TEST_F(ExpertsTest, EwmaSmoothsNoiseStrongly) {
  base::Random random(1);
  for (int i = 0; i < 499; ++i) Observe(100 + random.Normal());
  Observe(1000);
  EXPECT_LT(Ask("ewma")[0], 300);  // a fifth of the jump
}

TEST_F(ExpertsTest, EwmaFollowsAWalkClosely) {
  base::Random random(1);
  double walk = 1000;
  for (int i = 0; i < 500; ++i) Observe(walk += 5 * random.Normal());
  EXPECT_NEAR(Ask("ewma")[0], walk, 10);
}

TEST_F(ExpertsTest, HoltFollowsATrendAndDampsIt) {
  for (int i = 0; i < 200; ++i) Observe(10.0 * i);
  EXPECT_GT(Ask("holt")[0], 1985);
  EXPECT_LT(Ask("holt")[4], 1990 + 12 * 10 + 1);
  EXPECT_GT(Ask("holt")[4], Ask("holt")[0]);
}

TEST_F(ExpertsTest, AutoregressionLearnsAnOscillationAtEveryHorizon) {
  int i = 0;
  const auto value = [](int step) { return 100 + 50 * std::sin(step * 0.9); };
  for (; i < 1500; ++i) Observe(value(i));
  const auto said = Ask("autoregression");
  for (std::size_t h = 0; h < kHorizons.size(); ++h)
    EXPECT_NEAR(said[h], value(i - 1 + kHorizons[h]), 6) << h;
}

TEST_F(ExpertsTest, AutoregressionStaysSoundOverQuietYearsAndHugeBursts) {
  base::Random random(4);
  for (int i = 0; i < 60'000; ++i)
    Observe(i % 10'000 == 9'999 ? 1e15 : i % 20'000 < 9'000 ? 7 : 7 + random.Uniform());
  for (const float value : Ask("autoregression")) EXPECT_TRUE(std::isfinite(value));
  for (int i = 0; i < 300; ++i) Observe(7);
  for (const float value : Ask("autoregression")) EXPECT_NEAR(value, 7, 1);
}

TEST_F(ExpertsTest, SeasonalIsSilentWithoutAProfileAndLearnsToFollowOne) {
  StepProfile profile(48);
  base::Random random(2);
  const auto value = [](int step) {
    return 100 + 80 * std::sin(step * 0.1309) * std::sin(step * 0.1309 * 5);
  };
  double error = 0;
  double of_persistence = 0;
  float said = kUnknown;
  for (int i = 0; i < 48 * 30; ++i) {
    const double now = value(i) + random.Normal();
    if (i > 48 * 20) {
      error += std::abs(static_cast<double>(said) - now);
      of_persistence += std::abs(static_cast<double>(history_.Value(0)) - now);
    }
    Observe(now);
    const double usual = profile.At(static_cast<std::size_t>(i));
    profile.Learn(static_cast<std::size_t>(i), now);
    std::vector<double> ahead;
    for (const int h : kHorizons) ahead.push_back(profile.At(static_cast<std::size_t>(i + h)));
    said = Ask("seasonal", {usual, ahead})[0];
    if (i < 47) {
      EXPECT_TRUE(std::isnan(said)) << i;
    }
  }
  EXPECT_TRUE(std::isnan(Ask("seasonal")[0]));
  EXPECT_LT(error, 0.4 * of_persistence);
}

const MixtureRates kAll(MixtureOptions{.first_voice = 0.75, .least_voice = 0});

TEST(Mixture, StartsWithItsStartingWeightsAndCombinesByThem) {
  const Mixture mixture(2, kAll);
  EXPECT_THAT(mixture.weights(), ElementsAre(0.75, 0.25));
  EXPECT_DOUBLE_EQ(mixture.Combine(std::vector<float>{1, 5}, kAll), 2);
}

TEST(Mixture, GivesAnAbsentExpertNoLessonAndItsVoiceToTheOthers) {
  Mixture mixture(3, kAll);
  EXPECT_DOUBLE_EQ(mixture.Combine(std::vector<float>{1, kUnknown, 1}, kAll), 1);
  for (int i = 0; i < 100; ++i) mixture.Learn(std::vector<double>{0.1, 0.9, kNan}, kAll);
  EXPECT_NEAR(mixture.weights()[2], 0.125, 1e-6);
  EXPECT_GT(mixture.weights()[0], 0.85);
}

TEST(Mixture, DoesNotHearAnExpertThatKeepsFailingButLetsItComeBack) {
  const MixtureRates rates{MixtureOptions()};
  Mixture mixture(2, rates);
  for (int i = 0; i < 200; ++i) mixture.Learn(std::vector<double>{0, 1}, rates);
  const std::vector<float> opinions{1, 1e9F};
  EXPECT_EQ(mixture.Voices(opinions, rates)[1], 0);
  EXPECT_EQ(mixture.Combine(opinions, rates), 1);
  for (int i = 0; i < 10; ++i) mixture.Learn(std::vector<double>{1, 0}, rates);
  EXPECT_GT(mixture.weights()[1], 0.9);
}

TEST(Mixture, RelativeLossIsAHalfForEqualErrorsAndWithinItsBounds) {
  EXPECT_EQ(RelativeLoss(3, 3, 1), 0.5);
  EXPECT_EQ(RelativeLoss(0, 0, 0), 0.5);
  EXPECT_EQ(RelativeLoss(1, 0, 0), 1);
  EXPECT_EQ(RelativeLoss(0, 1, 0), 0);
  EXPECT_LT(RelativeLoss(1, 2, 1), 0.5);
  EXPECT_EQ(RelativeLoss(1e300, 0, 1e-300), 1);
}

// Losses over regimes: one expert of three is good in each, and the best one changes.
struct Regimes {
  Regimes(std::uint64_t seed, int count, int length) : changes(count - 1), steps(count * length) {
    base::Random random(seed);
    for (int regime = 0; regime < count; ++regime) {
      const auto best = static_cast<std::size_t>(random.Below(3));
      for (int step = 0; step < length; ++step) {
        std::vector<double> step_losses(3);
        for (std::size_t i = 0; i < 3; ++i) step_losses[i] = (i == best ? 0.1 : 0.5) + 0.4 * random.Uniform();
        loss_of_best += step_losses[best];
        losses.push_back(step_losses);
      }
    }
  }
  int changes;
  int steps;
  double loss_of_best = 0;
  std::vector<std::vector<double>> losses;
};

/// The bound of the header, for three experts of which the others start with `least`.
double Bound(double changes, double steps, double least, const MixtureOptions& options) {
  return ((changes + 1) * std::log(1 / least) + changes * std::log(1 / options.share) -
          (steps - changes - 1) * std::log(1 - options.share)) /
             options.learning_rate +
         options.learning_rate * steps / 8;
}

double LossOf(const Mixture& mixture, const std::vector<double>& losses, const MixtureRates& rates) {
  return mixture.Combine(std::vector<float>(losses.begin(), losses.end()), rates);
}

TEST(Mixture, LosesNoMoreThanTheFixedShareBoundAllowsAgainstTheBestSequenceOfExperts) {
  const MixtureOptions options{.learning_rate = 1, .share = 0.01, .first_voice = 0.8, .least_voice = 0};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Regimes regimes(seed, 8, 150);
    const MixtureRates rates(options);
    Mixture mixture(3, rates);
    double loss = 0;
    for (const std::vector<double>& losses : regimes.losses) {
      loss += LossOf(mixture, losses, rates);
      mixture.Learn(losses, rates);
    }
    EXPECT_LE(loss - regimes.loss_of_best, Bound(regimes.changes, regimes.steps, 0.1, options) + 1e-3)
        << seed;
    EXPECT_LT(loss - regimes.loss_of_best, 0.15 * regimes.loss_of_best) << seed;
  }
}

TEST(Mixture, LosesNoMoreThanTheBoundOfCopiesThatTakeTurnsWhenLossesComeLate) {
  constexpr int kDelay = 12;
  const MixtureOptions options{
      .learning_rate = 1 / std::sqrt(12.0), .share = 0.01, .first_voice = 0.8, .least_voice = 0};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Regimes regimes(seed, 8, 150);
    const MixtureRates rates(options);
    Mixture mixture(3, rates);
    double loss = 0;
    for (std::size_t step = 0; step < regimes.losses.size(); ++step) {
      loss += LossOf(mixture, regimes.losses[step], rates);
      if (step + 1 >= kDelay) mixture.Learn(regimes.losses[step + 1 - kDelay], rates);
    }
    const double bound = kDelay * Bound(regimes.changes, regimes.steps / double{kDelay}, 0.1, options);
    EXPECT_LE(loss - regimes.loss_of_best, bound + 1e-3) << seed;
    EXPECT_LT(loss - regimes.loss_of_best, 0.5 * regimes.loss_of_best) << seed;
  }
}

void ExpectSound(const std::vector<double>& quantiles) {
  ASSERT_EQ(quantiles.size(), kQuantileCount);
  EXPECT_TRUE(std::is_sorted(quantiles.begin(), quantiles.end())) << testing::PrintToString(quantiles);
  EXPECT_GE(quantiles.front(), 0);
  for (const double quantile : quantiles) EXPECT_TRUE(std::isfinite(quantile));
}

TEST(Interval, OfAYoungLinkIsWideAndAroundTheMedian) {
  const IntervalOptions options;
  const Interval::Terms terms{options};
  Interval interval(options);
  Interval::Asked asked;
  const std::vector<double> quantiles = interval.Around(100, {}, terms, asked);
  ExpectSound(quantiles);
  EXPECT_EQ(quantiles[kMedian], 100);
  EXPECT_LT(quantiles.front(), 50);
  EXPECT_GT(quantiles.back(), 150);
}

TEST(Interval, CountsWhatItBoundsAndModelsThatAreNoQuantiles) {
  const IntervalOptions options;
  const Interval::Terms terms{options};
  Interval interval(options);
  Interval::Asked asked;
  for (int i = 0; i < 50; ++i) {
    interval.Around(1, {}, terms, asked);
    interval.Learn(i % 2 == 0 ? 1 : 2, asked, terms);
  }
  interval.Around(1, {}, terms, asked);
  interval.Learn(1e12, asked, terms);
  EXPECT_EQ(interval.clipped(), 1U);
  ExpectSound(interval.Around(1, {}, terms, asked));
  for (const std::vector<double>& bad : {std::vector<double>{1, 2}, std::vector<double>{7, 6, 5, 4, 3, 2, 1},
                                         std::vector<double>{1, 2, 3, 4, 5, 6, kInfinity}}) {
    ExpectSound(interval.Around(1, bad, terms, asked));
  }
  EXPECT_EQ(interval.clipped(), 4U);
}

TEST(Interval, BelievesTheModelWhenItsQuantilesAreBetter) {
  const IntervalOptions options;
  const Interval::Terms terms{options};
  Interval interval(options);
  base::Random random(5);
  int covered = 0;
  for (int i = 0; i < 4000; ++i) {
    // The spread changes at every step, and only the model knows.
    const double spread = i % 2 == 0 ? 1 : 20;
    std::vector<double> model;
    for (const double deviations : {-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645})
      model.push_back(1000 + deviations * spread);
    Interval::Asked asked;
    const auto quantiles = interval.Around(1000, model, terms, asked);
    const double truth = 1000 + spread * random.Normal();
    covered += i >= 2000 && truth >= quantiles.front() && truth <= quantiles.back() ? 1 : 0;
    interval.Learn(truth, asked, terms);
  }
  EXPECT_GT(interval.model_voice(), 0.8);
  EXPECT_NEAR(covered / 2000.0, 0.9, 0.03);
}

}  // namespace
}  // namespace flowcast::forecast
