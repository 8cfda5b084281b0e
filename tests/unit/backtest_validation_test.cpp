// backtest: the folds that choose settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "libs/backtest/validation.h"
#include "libs/base/random.h"

namespace flowcast::backtest {
namespace {

using testing::ElementsAre;

/// Answers a constant in the sequence's own scale, and counts what it was given.
class Constant : public training::Learner {
 public:
  class Answer : public training::Predictor {
   public:
    Answer(training::Shape shape, float value) : shape_(std::move(shape)), value_(value) {}
    const training::Shape& shape() const override { return shape_; }
    std::vector<float> Predict(std::span<const float> inputs, std::span<const float>) override {
      return std::vector<float>(inputs.size() / shape_.input_size() * shape_.answer_size(), value_);
    }

   private:
    training::Shape shape_;
    float value_;
  };

  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples& training,
                                 const training::Examples&, const training::TrainingHooks& hooks) override {
    shape_ = shape;
    counts.push_back(training.count);
    if (hooks.listener) went_on = hooks.listener({});
    return {};
  }
  Model model() {
    return {
        "lstm", *this, [this](const std::string&) { return std::make_unique<Answer>(shape_, value); }, {0.5}};
  }

  std::vector<std::size_t> counts;
  bool went_on = false;
  float value = 0;

 private:
  training::Shape shape_;
};

Series Noise(std::size_t steps = 1000) {
  base::Random random(2);
  Series series{.name = "noise", .values = std::vector<double>(steps)};
  for (double& value : series.values) value = 1000 + 100 * random.Normal();
  return series;
}

const Options kOptions{.horizons = {1, 2}, .length = 10};

std::optional<double> LossOn(const Series& series, Constant& learner, std::size_t folds = kFolds) {
  return ValidationLoss(series, kOptions, learner.model(), folds, [] { return false; });
}

TEST(Validation, TheCentreOfNoiseHasAboutSeventyPercentOfTheErrorOfPersistence) {
  Constant learner;
  EXPECT_NEAR(LossOn(Noise(), learner).value(), 0.74, 0.06);
}

TEST(Validation, EachFoldIsFittedToWhatLiesBeforeIt) {
  Constant learner;
  LossOn(Noise(), learner);
  // 700 steps are looked at, folds are of 105; a sequence has 10 values, a target lies 1 ahead at least.
  EXPECT_THAT(learner.counts, ElementsAre(595 - 10, 490 - 10, 385 - 10));
}

TEST(Validation, WhatFollowsTheFittedPartIsNeverLookedAt) {
  Constant learner;
  const Series series = Noise();
  Series other = series;
  for (std::size_t i = 700; i < other.values.size(); ++i) other.values[i] = 0;
  EXPECT_EQ(LossOn(series, learner), LossOn(other, learner));
  other.values[690] *= 3;
  EXPECT_NE(LossOn(series, learner), LossOn(other, learner));
}

TEST(Validation, AModelThatIsNotFiniteCountsAsPersistence) {
  Constant learner;
  learner.value = std::numeric_limits<float>::quiet_NaN();
  EXPECT_DOUBLE_EQ(LossOn(Noise(), learner).value(), 1);
}

TEST(Validation, HasNoLossOfAConstantOrWhenStopped) {
  Constant learner;
  Series constant = Noise();
  std::fill(constant.values.begin(), constant.values.end(), 5);
  EXPECT_FALSE(LossOn(constant, learner));
  int asked = 0;
  const auto second = [&asked] { return ++asked > 1; };
  EXPECT_FALSE(ValidationLoss(Noise(), kOptions, learner.model(), kFolds, second));
  EXPECT_FALSE(learner.went_on);
}

}  // namespace
}  // namespace flowcast::backtest
