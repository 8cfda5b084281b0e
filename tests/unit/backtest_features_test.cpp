// backtest: what models see of a series with many features, what those are worth, and what if one were
// another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libs/backtest/importance.h"
#include "libs/backtest/what_if.h"
#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/feature/sequence_builder.h"
#include "tests/support/borrowed_predictor.h"

namespace flowcast::backtest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// Packets at random; bytes are the next step's packets; the rest is noise.
Series Leaking(std::size_t steps = 400) {
  base::Random random(3);
  auto table = std::make_shared<FeatureTable>();
  table->schema = feature::Schema::Parse("packets,bytes,jitter");
  Series series{.name = "leaking", .values = std::vector<double>(steps), .target = "packets"};
  for (double& value : series.values) value = 1000 + 300 * random.Normal();
  for (std::size_t i = 0; i < steps; ++i) {
    const double next = i + 1 < steps ? series.values[i + 1] : 1000;
    table->rows.insert(table->rows.end(), {series.values[i], next, 10 * random.Uniform()});
  }
  series.table = table;
  return series;
}

/// Answers a column's newest value in its own scale.
class Reader : public training::Learner, public training::Predictor {
 public:
  explicit Reader(std::size_t column) : column_(column) {}
  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples&,
                                 const training::Examples&, const training::TrainingHooks&) override {
    shape_ = shape;
    return {};
  }
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float>) override {
    const std::size_t size = shape_.input_size();
    std::vector<float> said;
    for (std::size_t row = 0; row * size < inputs.size(); ++row) {
      const float newest = inputs[(row + 1) * size - static_cast<std::size_t>(shape_.features) + column_];
      said.insert(said.end(), shape_.answer_size(), newest);
    }
    return said;
  }
  const training::Shape& shape() const override { return shape_; }

 private:
  std::size_t column_;
  training::Shape shape_;
};

class Features : public testing::Test {
 protected:
  Backtester Run(const Series& series) {
    const Model model{"lstm", reader_, support::Lend(reader_), {0.5}};
    return Backtester(series, {.horizons = {1}}, {model}, base::ManualClock());
  }
  static std::string RefusalOf(const std::string& change, const Series& series) {
    try {
      ParseChange(change, series);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  Series series_ = Leaking();
  Reader reader_{1};
};

double RiseOf(const Importance& importance, const std::string& name) {
  for (const Importance::Rise& rise : importance.by_horizon[0]) {
    if (rise.name == name) return rise.share.value();
  }
  ADD_FAILURE() << "no rise of " << name;
  return 0;
}

const WhatIf::Opinion& OpinionOf(const WhatIf& what_if, const std::string& name) {
  for (const WhatIf::Opinion& opinion : what_if.by_horizon[0]) {
    if (opinion.name == name) return opinion;
  }
  throw std::logic_error("no opinion of " + name);
}

TEST_F(Features, SequencesAreThoseOfTheFeatureServiceValueForValue) {
  const SequenceOptions options{.length = 12};
  const Sequences sequences(series_, options);
  feature::SequenceBuilder builder(options.length, series_.table->schema);
  const std::size_t columns = series_.table->schema.size();
  for (std::size_t at = 0; at < 40; ++at) {
    feature::Window window;
    window.start = base::FromUnixNanoseconds(static_cast<std::int64_t>(at) * 1'000'000'000);
    window.length = std::chrono::seconds(1);
    const auto row = series_.table->rows.begin() + static_cast<std::ptrdiff_t>(at * columns);
    window.features.assign(row, row + static_cast<std::ptrdiff_t>(columns));
    const auto expected = builder.Add(window);
    if (!expected) continue;
    const feature::Sequence made = sequences.At(at);
    EXPECT_EQ(made.values, expected->values);
    EXPECT_EQ(made.centre, expected->centre);
    EXPECT_EQ(made.scale, expected->scale);
    EXPECT_EQ(made.last, expected->last);
  }
}

TEST_F(Features, AModelIsAskedOfTheTargetWhereverItStands) {
  auto table = std::make_shared<FeatureTable>(*series_.table);
  table->target = feature::kBytes;
  series_.table = table;
  for (std::size_t i = 0; i < series_.values.size(); ++i) series_.values[i] = table->rows[3 * i + 1];
  const Backtester backtester = Run(series_);
  const HorizonRun& run = backtester.run().horizons[0];
  for (std::size_t i = 0; i < run.actual.size(); ++i)
    EXPECT_NEAR(run.of("lstm")[i], run.of("persistence")[i], 1) << i;
}

TEST_F(Features, TheOneThatTellsTheTruthIsWorthTheMostAndTheOthersNothing) {
  Backtester backtester = Run(series_);
  const std::vector<Importance> all = ImportanceOf(backtester, 1);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[1].feature, "bytes");
  EXPECT_GT(RiseOf(all[1], "lstm"), 2);
  EXPECT_GT(RiseOf(all[1], "flowcast"), 0.1);
  for (const std::size_t other : {0U, 2U}) {
    EXPECT_EQ(RiseOf(all[other], "lstm"), 0) << all[other].feature;
    EXPECT_EQ(RiseOf(all[other], "flowcast"), 0) << all[other].feature;
  }
}

TEST_F(Features, ImportanceIsTheSameForTheSameSeedOnly) {
  Backtester backtester = Run(series_);
  const double once = RiseOf(ImportanceOf(backtester, 1)[1], "lstm");
  EXPECT_EQ(once, RiseOf(ImportanceOf(backtester, 1)[1], "lstm"));
  EXPECT_NE(once, RiseOf(ImportanceOf(backtester, 2)[1], "lstm"));
}

TEST_F(Features, TheSeasonIsOneOfThemWhereThereIsOne) {
  const Series plain{.name = "plain", .values = series_.values, .target = "total"};
  const Model model{"lstm", reader_, support::Lend(reader_), {0.5}};
  reader_ = Reader(0);
  Backtester backtester(plain, {.horizons = {1}, .season = 24}, {model}, base::ManualClock());
  const std::vector<Importance> all = ImportanceOf(backtester, 1);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].feature, "total");
  EXPECT_EQ(all[1].feature, "season");
}

TEST_F(Features, WhatIfChangesThoseThatLookAtTheFeatureAndNoOther) {
  Backtester backtester = Run(series_);
  const WhatIf what_if = WhatIfOf(backtester, ParseChange("bytes=2000", series_));
  EXPECT_EQ(what_if.was, 1000);
  EXPECT_NEAR(OpinionOf(what_if, "lstm").before, 1000, 100);
  EXPECT_GT(OpinionOf(what_if, "lstm").after, 1500);
  EXPECT_GT(OpinionOf(what_if, "flowcast").after, OpinionOf(what_if, "flowcast").before);
  EXPECT_EQ(OpinionOf(what_if, "persistence").after, OpinionOf(what_if, "persistence").before);
  EXPECT_EQ(OpinionOf(what_if, "persistence").before, static_cast<float>(series_.values.back()));
}

TEST_F(Features, WhatIfTheTargetWereAnotherIsSeenByTheOnlineExpertsToo) {
  Backtester backtester = Run(series_);
  const WhatIf what_if = WhatIfOf(backtester, ParseChange("packets=1234", series_));
  EXPECT_EQ(OpinionOf(what_if, "persistence").after, 1234);
  EXPECT_NE(OpinionOf(what_if, "ewma").after, OpinionOf(what_if, "ewma").before);
  const WhatIf same = WhatIfOf(backtester, Change{"packets", series_.values.back()});
  for (const WhatIf::Opinion& opinion : same.by_horizon[0]) EXPECT_EQ(opinion.before, opinion.after);
}

TEST_F(Features, AChangeThatCannotBeIsRefusedWithTheFeaturesThereAre) {
  EXPECT_THAT(RefusalOf("jiter=3", series_),
              HasSubstr("no feature 'jiter'; there are: packets, bytes, jitter"));
  EXPECT_THAT(RefusalOf("jitter", series_), HasSubstr("is not feature=value"));
  for (const char* bad : {"jitter=", "jitter=fast", "jitter=1e19", "jitter=nan", "packets=-1"})
    EXPECT_THAT(RefusalOf(bad, series_), HasSubstr("is no value of")) << bad;
  EXPECT_THAT(RefusalOf("x=1", Series{.name = "a", .values = {1}, .target = "total"}),
              HasSubstr("there are: total (a capture has others with --features default)"));
}

}  // namespace
}  // namespace flowcast::backtest
