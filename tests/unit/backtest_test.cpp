// backtest: CSV, series, binning, the rolling origin, scores, alerts, and input that is bad.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "libs/backtest/alerts.h"
#include "libs/backtest/backtest.h"
#include "libs/backtest/csv.h"
#include "libs/backtest/scores.h"
#include "libs/base/error.h"
#include "libs/base/random.h"
#include "tests/support/borrowed_predictor.h"

namespace flowcast::backtest {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::SizeIs;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The text of the base::ConfigError that `action` throws.
template <typename Action>
std::string RefusalOf(Action action) {
  try {
    action();
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::vector<double> Noise(std::size_t count, std::uint64_t seed = 1) {
  base::Random random(seed);
  std::vector<double> values(count);
  for (double& value : values) value = 1000 + 100 * random.Normal();
  return values;
}

Run RunOn(std::vector<double> values, const Options& options = {.horizons = {1, 3}},
          const std::vector<Model>& models = {}) {
  return Backtest(MakeSeries("series", std::move(values), 1), options, models, base::ManualClock());
}

void ExpectFinite(const Run& run) {
  for (const HorizonRun& horizon : run.horizons) {
    for (const auto& [name, forecast] : horizon.forecasts) {
      for (const double value : forecast) ASSERT_TRUE(std::isfinite(value)) << name;
    }
    for (const auto& quantiles : horizon.quantiles) {
      for (const double value : quantiles) ASSERT_TRUE(std::isfinite(value) && value >= 0);
    }
  }
}

TEST(Csv, FindsAColumnByNameAndByNumberFromZero) {
  const std::string text = "time,\"load, in bits\"\r\n1,5\r\n2,\"7.5\"\r\n\r\n3,1e3";
  EXPECT_THAT(ColumnOf(text, "load, in bits"), ElementsAre(5, 7.5, 1000));
  EXPECT_THAT(ColumnOf(text, "0"), ElementsAre(1, 2, 3));
}

TEST(Csv, TakesWhatIsNoNumberForMissing) {
  EXPECT_THAT(ColumnOf("a,b\n1,x\n2\n3,\n4,nan\n5, 6 ", "b"),
              ElementsAre(IsNan(), IsNan(), IsNan(), IsNan(), 6));
}

TEST(Csv, NamesTheColumnsThereAreWhenAWrongOneIsAskedFor) {
  EXPECT_THAT(RefusalOf([] { ColumnOf("time,total\n1,2\n", "totl"); }), HasSubstr("0 time, 1 total"));
  EXPECT_THAT(RefusalOf([] { ColumnOf("time,total\n1,2\n", "2"); }), HasSubstr("no column '2'"));
}

TEST(Csv, RefusesAnEmptyFileAndOneWithoutRows) {
  EXPECT_THAT(RefusalOf([] { ColumnOf("", "0"); }), HasSubstr("empty"));
  EXPECT_THAT(RefusalOf([] { ColumnOf("a,b\n", "0"); }), HasSubstr("no row"));
}

TEST(Series, InterpolatesGapsHoldsTheEndAndLeavesOutAnUnknownBeginning) {
  const Series series = MakeSeries("a", {kNan, 1, kNan, kNan, 4, kNan, 6, 7, 8, kNan}, 1);
  EXPECT_THAT(series.values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 8));
  EXPECT_EQ(series.filled, 4U);
}

TEST(Series, RefusesNegativeAndHugeValuesByRow) {
  EXPECT_THAT(RefusalOf([] {
                MakeSeries("a", {1, 2, -3}, 1);
              }),
              HasSubstr("negative value (-3.000000) in row 3"));
  EXPECT_THAT(RefusalOf([] { MakeSeries("a", {1, 1e19}, 1); }), HasSubstr("row 2"));
}

TEST(Series, RefusesAColumnThatIsMostlyNoNumbers) {
  EXPECT_THAT(RefusalOf([] { MakeSeries("a", {kNan, kNan, 1, kNan}, 1); }), HasSubstr("1 numbers in 4 rows"));
  EXPECT_THAT(RefusalOf([] { MakeSeries("a", {kNan, kNan}, 1); }), HasSubstr("name another column"));
}

TEST(Binning, BeginsAtTheFirstPacketAndLeavesOutTheLastWindow) {
  Binning binning(10, Alignment::kFirst);
  for (const std::int64_t time : {25, 7, 16, 18, 27}) binning.Add(time, 1);
  EXPECT_THAT(binning.Values(), ElementsAre(2, 2));
}

TEST(Binning, AtTheEpochLeavesOutTheFirstWindowToo) {
  Binning binning(10, Alignment::kEpoch);
  for (const std::int64_t time : {-13, -7, 1, 2, 12}) binning.Add(time, 2);
  EXPECT_THAT(binning.Values(), ElementsAre(2, 4));
}

TEST(Binning, RefusesACaptureOfTooFewOrTooManyWindows) {
  Binning binning(1'000'000'000, Alignment::kFirst);
  EXPECT_THAT(RefusalOf([&] { binning.Values(); }), HasSubstr("no packet"));
  binning.Add(0, 1);
  EXPECT_THAT(RefusalOf([&] { binning.Values(); }), HasSubstr("shorter"));
  binning.Add(std::int64_t{90'000'000} * 1'000'000'000, 1);
  EXPECT_THAT(RefusalOf([&] { binning.Values(); }), HasSubstr("longer"));
}

TEST(Backtest, ScoresEveryStepAfterTheCutAtEveryHorizon) {
  const backtest::Run run = RunOn(Noise(200));
  EXPECT_EQ(run.first_scored, 140U);
  ASSERT_THAT(run.horizons, SizeIs(2));
  for (const HorizonRun& horizon : run.horizons) EXPECT_THAT(horizon.actual, SizeIs(60));
  ExpectFinite(run);
}

TEST(Backtest, ForecastsFromWhatWasKnownOnly) {
  const std::vector<double> values = Noise(300);
  std::vector<double> changed = values;
  for (std::size_t i = 250; i < changed.size(); ++i) changed[i] = 5 * values[i];
  const backtest::Run run = RunOn(values);
  const backtest::Run other = RunOn(changed);
  for (std::size_t h = 0; h < run.horizons.size(); ++h) {
    const auto& before = run.horizons[h].of(forecast::kMixtureName);
    const auto& after = other.horizons[h].of(forecast::kMixtureName);
    for (std::size_t i = 0; i < 250 - 210; ++i) EXPECT_EQ(before[i], after[i]) << i;
    EXPECT_NE(before.back(), after.back());
  }
}

TEST(Backtest, PersistenceIsTheValueSoManyStepsBefore) {
  const std::vector<double> values = Noise(200);
  const backtest::Run run = RunOn(values);
  for (const HorizonRun& horizon : run.horizons) {
    const auto& persistence = horizon.of("persistence");
    for (std::size_t i = 0; i < persistence.size(); ++i) {
      EXPECT_NEAR(persistence[i], values[140 + i - static_cast<std::size_t>(horizon.horizon)], 1e-3);
    }
  }
}

TEST(Backtest, ListsTheSeasonalExpertOnlyWithASeason) {
  const auto names = [](const backtest::Run& run) {
    std::vector<std::string> all;
    for (const auto& [name, forecast] : run.horizons[0].forecasts) all.push_back(name);
    return all;
  };
  EXPECT_THAT(names(RunOn(Noise(200))),
              ElementsAre("persistence", "ewma", "holt", "mean", "autoregression", "flowcast"));
  EXPECT_THAT(names(RunOn(Noise(200), {.horizons = {1}, .season = 24})),
              ElementsAre("persistence", "ewma", "holt", "seasonal", "mean", "autoregression", "flowcast"));
}

TEST(Backtest, RefusesTooShortASeriesAndSaysHowMuchIsNeeded) {
  EXPECT_THAT(RefusalOf([] { RunOn(Noise(30)); }),
              HasSubstr("series has 30 steps; at least 23 to fit and 20 to score"));
}

TEST(Backtest, RefusesASeasonThatIsLongerThanWhatIsFitted) {
  EXPECT_THAT(RefusalOf([] { RunOn(Noise(200), {.horizons = {1}, .season = 500}); }),
              HasSubstr("season of 500"));
}

TEST(Backtest, RefusesOptionsThatCannotBe) {
  EXPECT_THAT(RefusalOf([] { RunOn(Noise(200), {.horizons = {}}); }), HasSubstr("horizons"));
  EXPECT_THAT(RefusalOf([] { RunOn(Noise(200), {.horizons = {1}, .length = 1}); }), HasSubstr("--length"));
  EXPECT_THAT(RefusalOf([] { RunOn(Noise(200), {.horizons = {1}, .train_fraction = 1}); }),
              HasSubstr("--train-fraction"));
}

TEST(Backtest, OfAConstantOrAllZerosIsExactAndHasNoSkill) {
  for (const double value : {64.0, 0.0}) {
    const Series series = MakeSeries("constant", std::vector<double>(200, value), 1);
    const backtest::Run run = RunOn(series.values);
    ExpectFinite(run);
    const HorizonScore score = ScoreOf(series, {}, run.horizons[0]);
    EXPECT_NEAR(score.of("flowcast").mae, 0, 1e-6);
    EXPECT_FALSE(score.of("flowcast").skill_mae);
    EXPECT_FALSE(score.r2);
    EXPECT_FALSE(score.mase);
  }
}

TEST(Backtest, SurvivesOneHugeOutlierAndForgetsIt) {
  std::vector<double> values = Noise(600);
  values[450] = 1e15;
  const backtest::Run run = RunOn(values);
  ExpectFinite(run);
  EXPECT_NEAR(run.horizons[0].of(forecast::kMixtureName).back(), 1000, 400);
}

/// Answers what it was told to, for every horizon.
class Oracle : public training::Learner, public training::Predictor {
 public:
  explicit Oracle(float answer) : answer_(answer) {}
  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples& training,
                                 const training::Examples& validation,
                                 const training::TrainingHooks&) override {
    shape_ = shape;
    learned = training.count;
    held = validation.count;
    return {};
  }
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float>) override {
    return std::vector<float>(inputs.size() / shape_.input_size() * shape_.answer_size(), answer_);
  }
  const training::Shape& shape() const override { return shape_; }

  std::size_t learned = 0;
  std::size_t held = 0;

 private:
  training::Shape shape_;
  float answer_;
};

Model ModelOf(Oracle& oracle, bool wants_validation = false) {
  return {"lstm", oracle, support::Lend(oracle), {0.5}, wants_validation};
}

TEST(Backtest, AsksModelsForScoredStepsOnlyAndTurnsAnswersIntoRawUnits) {
  Oracle oracle(0);  // the centre of each sequence
  const backtest::Run run = RunOn(Noise(400), {.horizons = {1, 3}}, {ModelOf(oracle)});
  for (const HorizonRun& horizon : run.horizons) {
    for (const double value : horizon.of("lstm")) EXPECT_NEAR(value, 1000, 120);
  }
  EXPECT_EQ(oracle.learned, 280U - 1 - (feature::kDefaultSequenceLength - 1));
}

TEST(Backtest, HoldsTheNewestExamplesBackForValidationWithAGap) {
  Oracle oracle(0);
  RunOn(Noise(1000), {.horizons = {1}}, {ModelOf(oracle, true)});
  EXPECT_NEAR(static_cast<double>(oracle.held), 0.15 * 671, 2);
  EXPECT_LE(oracle.learned + oracle.held + feature::kDefaultSequenceLength, 700U);
}

TEST(Backtest, NoModelThatIsNotFiniteReachesTheOutput) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Oracle oracle(bad);
    ExpectFinite(RunOn(Noise(400), {.horizons = {1, 3}}, {ModelOf(oracle)}));
  }
}

TEST(Backtest, LeavesAModelOutThatHasTooLittleToLearnFromAndSaysSo) {
  Oracle oracle(0);
  const backtest::Run run = RunOn(Noise(90), {.horizons = {1}}, {ModelOf(oracle)});
  ASSERT_THAT(run.notes, SizeIs(1));
  EXPECT_THAT(run.notes[0], HasSubstr("lstm was left out"));
  EXPECT_EQ(run.horizons[0].forecasts.back().first, "flowcast");
}

TEST(Scores, AreWhatTheirFormulasSay) {
  HorizonRun run{.horizon = 1, .actual = {1, 2, 3}};
  run.forecasts = {{"persistence", {2, 1, 2}}, {"flowcast", {1, 2, 5}}};
  run.quantiles = {{0, 0, 0, 1, 2, 2, 2}, {0, 0, 1, 2, 3, 3, 3}, {4, 4, 4, 5, 6, 6, 6}};
  const HorizonScore score = ScoreOf(MakeSeries("a", {1, 2, 4, 7, 1, 2, 3}, 1), {.train_fraction = 0.6}, run);
  EXPECT_DOUBLE_EQ(score.of("flowcast").mae, 2.0 / 3);
  EXPECT_DOUBLE_EQ(score.of("flowcast").rmse, std::sqrt(4.0 / 3));
  EXPECT_NEAR(*score.of("flowcast").skill_mae, 1.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(*score.mase, 2.0 / 3 / 2);
  EXPECT_DOUBLE_EQ(*score.smape, 2 * 2.0 / 8 / 3);
  EXPECT_DOUBLE_EQ(*score.r2, -1);
  EXPECT_DOUBLE_EQ(score.coverage_90, 2.0 / 3);
}

TEST(Alerts, CountStepsEpisodesAndLead) {
  HorizonRun run{.horizon = 3, .actual = {1, 9, 9, 1, 9, 1, 9}};
  run.forecasts = {{"persistence", {1, 1, 9, 9, 1, 9, 1}}, {"flowcast", {1, 8, 8, 8, 1, 1, 8}}};
  const AlertComparison alerts = CompareAlerts(run, 5, 2);
  EXPECT_DOUBLE_EQ(*alerts.forecast.precision, 0.75);
  EXPECT_DOUBLE_EQ(*alerts.forecast.recall, 0.75);
  EXPECT_DOUBLE_EQ(*alerts.forecast.lead_s, 6);
  EXPECT_EQ(alerts.forecast.episodes, 3U);
  EXPECT_EQ(alerts.forecast.episodes_found, 2U);
  EXPECT_DOUBLE_EQ(*alerts.reactive.precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*alerts.reactive.lead_s, 0);
}

TEST(Alerts, BelowOneHalfASmallerProbabilityThanTheMediansIsEnough) {
  HorizonRun run{.horizon = 1, .actual = {1, 9, 9}};
  run.forecasts = {{"persistence", {1, 1, 9}}, {"flowcast", {1, 4, 8}}};
  run.quantiles = {{0, 0, 0, 1, 2, 2, 2}, {1, 2, 3, 4, 6, 7, 8}, {6, 6, 7, 8, 9, 9, 9}};
  EXPECT_EQ(CompareAlerts(run, 5, 1).forecast.right, 1U);
  EXPECT_EQ(CompareAlerts(run, 5, 1, 0.3).forecast.right, 2U) << "the second is above with 0.375";
  EXPECT_EQ(CompareAlerts(run, 5, 1, 0.4).forecast.right, 1U);
  EXPECT_EQ(CompareAlerts(run, 5, 1, 0.3).reactive.right, 1U) << "which knows no probability";
}

TEST(Alerts, TakeAThresholdAsALoadOrAsAPercentileOfTheTrainingPart) {
  std::vector<double> values(200);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const Series series = MakeSeries("a", values, 1);
  EXPECT_EQ(ThresholdOf("12.5", series, {}), 12.5);
  EXPECT_EQ(ThresholdOf("p50", series, {.train_fraction = 0.5}), 49);
  for (const char* bad : {"", "p", "p101", "-1", "12x", "nan"}) {
    EXPECT_THAT(RefusalOf([&] { ThresholdOf(bad, series, {}); }), HasSubstr("--alert-threshold")) << bad;
  }
}

}  // namespace
}  // namespace flowcast::backtest
