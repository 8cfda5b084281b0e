// trees: what XGBoost grows, kept and asked as our own; hostile bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/random.h"
#include "libs/trees/learner.h"
#include "libs/trees/rows.h"

namespace flowcast::trees {
namespace {

using testing::ElementsAre;
using training::Examples;
using training::Shape;

/// Rows of three columns; the target is what the first two say, and noise of mean absolute error 0.2.
struct Made {
  explicit Made(std::size_t count, std::uint64_t seed) {
    base::Random random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      const auto a = static_cast<float>(random.Normal());
      const auto b = static_cast<float>(random.Normal());
      rows.insert(rows.end(), {a, b, static_cast<float>(random.Normal())});
      targets.push_back((a > 0 ? 2.0F : -1.0F) + (b > 1 ? 3.0F : 0.0F) +
                        0.25F * static_cast<float>(random.Normal()));
    }
  }
  Sample sample() const { return {3, rows, targets, {}}; }
  double LossOf(const Forest& forest) const {
    double sum = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      sum += std::abs(static_cast<double>(forest.Predict(std::span(rows).subspan(3 * i, 3)) - targets[i]));
    }
    return sum / static_cast<double>(targets.size());
  }
  std::vector<float> rows;
  std::vector<float> targets;
};

TEST(Boosting, LearnsStepsOfTheAbsoluteErrorAndGeneralizes) {
  const Boosted boosted = Boost(Made(2000, 1).sample(), {}, {});
  EXPECT_EQ(boosted.forest.trees().size(), 300U);
  EXPECT_LT(Made(500, 2).LossOf(boosted.forest), 0.3);
}

TEST(Boosting, IsTheSameForTheSameSeed) {
  const Made made(500, 1);
  const auto grow = [&](std::uint32_t seed) {
    return Boost(made.sample(), {}, {.rounds = 20, .seed = seed}).forest.trees();
  };
  EXPECT_EQ(grow(1), grow(1));
  EXPECT_NE(grow(1), grow(2));
}

TEST(Boosting, EndsWhereValidationIsBest) {
  Made noise(400, 1);
  base::Random random(3);
  for (float& target : noise.targets) target = static_cast<float>(random.Normal());
  const Made validation(200, 4);
  const Boosted boosted = Boost(noise.sample(), validation.sample(), {.patience = 10});
  EXPECT_LT(boosted.forest.trees().size(), 100U);
  EXPECT_LE(boosted.validation_loss.size(), boosted.forest.trees().size() + 10);
}

TEST(Boosting, CountsAWeightedRowForMany) {
  const std::vector<float> rows(10, 1.0F);
  std::vector<float> targets(10, 0.0F);
  std::vector<float> weights(10, 1.0F);
  targets[0] = 8;
  weights[0] = 100;
  const Boosted boosted = Boost({1, rows, targets, weights}, {}, {.subsample = 1});
  EXPECT_NEAR(boosted.forest.Predict(std::vector<float>{1}), 8, 0.01);
}

Shape SmallShape() { return {.length = 4, .features = 2, .context = 4, .targets = {1}, .horizons = {1, 3}}; }

/// The target's next value is its last one plus the first feature's last one.
Examples MakeExamples(const Shape& shape, std::size_t count) {
  base::Random random(7);
  Examples examples{.count = count};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < shape.input_size(); ++k)
      examples.inputs.push_back(static_cast<float>(random.Normal()));
    for (std::size_t k = 0; k < shape.context_size(); ++k) examples.context.push_back(0);
    const auto newest = std::span(examples.inputs).last(2);
    examples.targets.push_back(newest[1] + (newest[0] > 0 ? 1.0F : -1.0F));
    examples.targets.push_back(i % 2 == 0 ? newest[1] : std::numeric_limits<float>::quiet_NaN());
  }
  return examples;
}

TEST(Rows, AreMovementsOfTheTargetTheOthersLastValuesAndTheUsualLoad) {
  std::vector<float> row;
  const std::vector<float> inputs{1, 10, 2, 20, 3, 30, 4, 40};
  const float last = AppendRow(SmallShape(), 0, inputs, std::vector<float>{50, 1, 0, 0}, row);
  EXPECT_EQ(last, 40);
  EXPECT_THAT(row, ElementsAre(-30, -20, -10, 4, 10, 1, 0, 0));
  EXPECT_EQ(row.size(), ColumnsOf(SmallShape()));
}

TEST(TreeLearner, AnswersEveryHorizonOnAnyNumberOfThreads) {
  const Shape shape = SmallShape();
  const Examples examples = MakeExamples(shape, 600);
  const std::string weights = TreeLearner({.rounds = 120}).Train(shape, examples, {}, {}).weights;
  EXPECT_EQ(weights, TreeLearner({.rounds = 120}, 2).Train(shape, examples, {}, {}).weights);
  const auto predictor = LoadPredictor(weights);
  EXPECT_EQ(predictor->shape(), shape);
  const std::vector<float> answers = predictor->Predict(
      std::vector<float>{0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 0, 0, 0, 0, -1, 5}, std::vector<float>(8));
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_NEAR(answers[0], 6, 0.2);
  EXPECT_NEAR(answers[1], 5, 0.2);
  EXPECT_NEAR(answers[2], 4, 0.2);
}

TEST(TreeLearner, TellsOfEachForestAndKeepsTheLossesOfTheRounds) {
  const Shape shape = SmallShape();
  std::vector<int> told;
  const auto listener = [&](const training::EpochResult& forest) {
    EXPECT_EQ(forest.training_loss > 0, forest.number == 1) << "the second has nothing to learn";
    told.push_back(forest.number);
    return true;
  };
  const auto trained =
      TreeLearner({.rounds = 40}, 2)
          .Train(shape, MakeExamples(shape, 600), MakeExamples(shape, 100), {.listener = listener});
  EXPECT_THAT(told, ElementsAre(1, 2));
  ASSERT_EQ(trained.history.size(), 40U);
  EXPECT_EQ(trained.history.front().number, 1);
  EXPECT_LT(trained.history.back().training_loss, trained.history.front().training_loss);
  EXPECT_LT(trained.history.back().validation_loss, trained.history.front().validation_loss);
  EXPECT_EQ(trained.best_epoch, 40);
  EXPECT_GT(trained.parameters, 40);
}

TEST(TreeLearner, AHorizonWithoutTruthsAndOneAfterAStopArePersistence) {
  const Shape shape = SmallShape();
  Examples examples = MakeExamples(shape, 600);
  const std::vector<float> asked{0, 0, 0, 0, 0, 0, 1, 5};
  const auto stop = [](const training::EpochResult&) { return false; };
  const auto stopped = TreeLearner({.rounds = 20}).Train(shape, examples, {}, {.listener = stop});
  auto answers = LoadPredictor(stopped.weights)->Predict(asked, std::vector<float>(4));
  EXPECT_NE(answers.at(0), 5);
  EXPECT_EQ(answers.at(1), 5);
  for (std::size_t i = 1; i < examples.targets.size(); i += 2)
    examples.targets[i] = std::numeric_limits<float>::quiet_NaN();
  const auto trained = TreeLearner({.rounds = 20}).Train(shape, examples, {}, {});
  answers = LoadPredictor(trained.weights)->Predict(asked, std::vector<float>(4));
  EXPECT_NE(answers.at(0), 5);
  EXPECT_EQ(answers.at(1), 5);
}

TEST(TreeLearner, RefusesOtherLevelsAndExamplesThatDoNotFit) {
  Shape shape = SmallShape();
  const Examples examples = MakeExamples(shape, 60);
  shape.levels = {0.1, 0.5, 0.9};
  EXPECT_THROW(TreeLearner().Train(shape, examples, {}, {}), base::ConfigError);
  shape.levels = {0.5};
  shape.length = 5;
  EXPECT_THROW(TreeLearner().Train(shape, examples, {}, {}), base::ConfigError);
}

TEST(Weights, ThatAreDamagedCutOrForeignAreRefused) {
  const Shape shape = SmallShape();
  const std::string weights =
      TreeLearner({.rounds = 3}).Train(shape, MakeExamples(shape, 60), {}, {}).weights;
  ASSERT_NO_THROW(LoadPredictor(weights));
  EXPECT_THROW(LoadPredictor(""), base::RuntimeError);
  EXPECT_THROW(LoadPredictor("an LSTM"), base::RuntimeError);
  for (std::size_t size = 0; size < weights.size(); size += 7) {
    EXPECT_THROW(LoadPredictor(weights.substr(0, size)), base::RuntimeError) << size;
  }
  std::string damaged = weights;
  damaged[weights.size() / 2] = static_cast<char>(damaged[weights.size() / 2] ^ 1);
  EXPECT_THROW(LoadPredictor(damaged), base::RuntimeError);
}

TEST(Weights, ThatAreHostileButSignedNeverLeadOutOfTheirTrees) {
  const Shape shape = SmallShape();
  const std::string weights =
      TreeLearner({.rounds = 3}).Train(shape, MakeExamples(shape, 60), {}, {}).weights;
  base::Random random(9);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string body = weights.substr(24);
    for (int k = 0; k < 4; ++k) body[random.Below(body.size())] = static_cast<char>(random.Next());
    const std::string hostile = weights.substr(0, 8) + base::Hex(base::Fnv1a64(body)) + body;
    try {
      const auto predictor = LoadPredictor(hostile);
      const Shape& read = predictor->shape();
      if (read.input_size() + read.context_size() > 10'000) continue;
      const std::vector<float> answers =
          predictor->Predict(std::vector<float>(read.input_size()), std::vector<float>(read.context_size()));
      for (const float answer : answers) EXPECT_FALSE(std::isnan(answer));
    } catch (const base::RuntimeError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(Weights, OfAnImpossibleShapeAreRefusedAsAllOthersAre) {
  const Shape shape = SmallShape();
  const std::string weights =
      TreeLearner({.rounds = 3}).Train(shape, MakeExamples(shape, 60), {}, {}).weights;
  std::string body = weights.substr(24);
  body[4] = 0;  // the length, behind how many numbers there are
  const std::string hostile = weights.substr(0, 8) + base::Hex(base::Fnv1a64(body)) + body;
  EXPECT_THROW(LoadPredictor(hostile), base::RuntimeError);
}

}  // namespace
}  // namespace flowcast::trees
