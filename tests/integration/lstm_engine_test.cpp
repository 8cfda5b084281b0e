// Inference against the training's own path, and what holds for any weights.
#include "libs/lstm/internal/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/lstm/internal/module.h"
#include "libs/lstm/internal/quantiles.h"

namespace flowcast::lstm {
namespace {

const std::vector<double> kLevels{0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};

NetworkShape MakeShape(std::int64_t hidden, std::int64_t layers, std::int64_t head_size, bool attention) {
  return {.io = {.length = 10,
                 .features = 5,
                 .context = 4,
                 .targets = {0, 3},
                 .horizons = {1, 2, 12},
                 .levels = kLevels},
          .hidden = hidden,
          .layers = layers,
          .head_size = head_size,
          .attention = attention};
}

std::vector<float> Values(std::size_t count, std::uint64_t seed, double spread = 1) {
  base::Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(spread * random.Normal());
  return values;
}

// Every parameter drawn, also those that begin at zero.
Parameters RandomParameters(const NetworkShape& shape, std::uint64_t seed, double spread) {
  Parameters parameters;
  for (const ParameterLayout& layout : LayoutOf(shape)) {
    parameters.push_back(Values(static_cast<std::size_t>(layout.count()), ++seed, spread));
  }
  return parameters;
}

std::vector<float> ByTraining(const NetworkShape& shape, const Parameters& parameters,
                              const std::vector<float>& inputs, const std::vector<float>& context) {
  const torch::InferenceMode guard;
  std::vector<std::int64_t> rows(inputs.size() / shape.io.input_size());
  std::iota(rows.begin(), rows.end(), 0);
  Batch batch;
  batch.Fill(shape, inputs, context, rows);
  const Outputs outputs = Module(shape, parameters).Forward(batch, nullptr);
  const torch::Tensor raw = outputs.raw.contiguous();
  const torch::Tensor centres = outputs.centres.contiguous();
  std::vector<float> answers(rows.size() * shape.io.answer_size());
  const std::size_t levels = shape.io.levels.size();
  for (std::size_t i = 0; i < answers.size() / levels; ++i) {
    Spread({raw.data_ptr<float>() + i * levels, levels}, shape.io.median(), centres.data_ptr<float>()[i],
           &answers[i * levels]);
  }
  return answers;
}

TEST(Engine, AgreesWithTheTrainingPathTo1e4) {
  for (const auto& shape :
       {MakeShape(64, 2, 0, false), MakeShape(48, 1, 32, false), MakeShape(13, 3, 7, true)}) {
    const Parameters parameters = RandomParameters(shape, 1, 0.15);
    Engine engine({shape, {parameters}});
    for (const std::size_t rows : {1U, 5U, 32U, 100U, 256U, 300U}) {
      const auto inputs = Values(rows * shape.io.input_size(), rows);
      const auto context = Values(rows * shape.io.context_size(), rows + 1);
      const auto ours = engine.Predict(inputs, context);
      const auto theirs = ByTraining(shape, parameters, inputs, context);
      ASSERT_EQ(ours.size(), theirs.size());
      for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-4) << rows << " rows";
    }
  }
}

TEST(Engine, QuantilesNeverCrossWhateverTheWeights) {
  const NetworkShape shape = MakeShape(9, 2, 5, true);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const double spread = std::pow(10, static_cast<double>(seed % 6) - 2);
    Engine engine(
        {shape, {RandomParameters(shape, 2 * seed, spread), RandomParameters(shape, 2 * seed + 1, spread)}});
    const auto answers = engine.Predict(Values(40 * shape.io.input_size(), seed, spread),
                                        Values(40 * shape.io.context_size(), seed, spread));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_TRUE(std::isfinite(answers[i]));
      if (i % kLevels.size() == 0) continue;
      ASSERT_LE(answers[i - 1], answers[i]) << "seed " << seed;
    }
  }
}

TEST(Engine, ARowsAnswerIsTheSameToTheLastBitWhateverItsBatch) {
  constexpr std::size_t kRows = 300;
  for (const auto& shape :
       {MakeShape(64, 2, 16, false), MakeShape(48, 1, 32, false), MakeShape(13, 3, 7, true)}) {
    Engine engine({shape, {RandomParameters(shape, 1, 0.15)}});
    const auto inputs = Values(kRows * shape.io.input_size(), 1);
    const auto context = Values(kRows * shape.io.context_size(), 2);
    const auto all = engine.Predict(inputs, context);
    for (const std::size_t rows : {1U, 5U, 6U, 7U, 32U, 49U, 200U, 256U}) {
      for (const std::size_t begin : {0U, 1U, 44U}) {
        const auto some =
            engine.Predict({&inputs[begin * shape.io.input_size()], rows * shape.io.input_size()},
                           {&context[begin * shape.io.context_size()], rows * shape.io.context_size()});
        const auto* const same = &all[begin * shape.io.answer_size()];
        ASSERT_TRUE(std::equal(some.begin(), some.end(), same)) << rows << " rows from " << begin;
      }
    }
  }
}

TEST(Engine, AnswersWithANumberWhateverItIsGiven) {
  const NetworkShape shape = MakeShape(16, 2, 8, true);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const double spread : {0.2, 1e6, 1e30}) {
    Engine engine({shape, {RandomParameters(shape, 1, spread)}});
    for (const float value : {std::nanf(""), kInfinity, -kInfinity, 3e38F, -1e12F, 1e-40F}) {
      std::vector<float> inputs(3 * shape.io.input_size(), value);
      inputs[2] = 1;
      const auto answers = engine.Predict(inputs, std::vector<float>(3 * shape.io.context_size(), value));
      for (const float answer : answers)
        ASSERT_TRUE(std::isfinite(answer)) << value << ", weights " << spread;
    }
  }
}

TEST(Engine, AveragesItsMembers) {
  const NetworkShape shape = MakeShape(8, 1, 0, false);
  const Parameters a = RandomParameters(shape, 1, 0.3);
  const Parameters b = RandomParameters(shape, 2, 0.3);
  const auto inputs = Values(10 * shape.io.input_size(), 1);
  const auto context = Values(10 * shape.io.context_size(), 2);
  const auto ofA = Engine({shape, {a}}).Predict(inputs, context);
  const auto ofB = Engine({shape, {b}}).Predict(inputs, context);
  const auto both = Engine({shape, {a, b}}).Predict(inputs, context);
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_NEAR(both[i], (ofA[i] + ofB[i]) / 2, 1e-5);
}

TEST(Engine, RefusesPartsOfARowAndTakesNone) {
  const NetworkShape shape = MakeShape(8, 1, 0, false);
  Engine engine({shape, {RandomParameters(shape, 1, 0.3)}});
  EXPECT_THROW(engine.Predict(std::vector<float>(51), {}), base::ConfigError);
  EXPECT_THROW(engine.Predict(std::vector<float>(50), std::vector<float>(3)), base::ConfigError);
  EXPECT_TRUE(engine.Predict({}, {}).empty());
}

TEST(PinballLoss, IsTheAbsoluteErrorForTheMedianAlone) {
  const float raw = 0.25F;
  float gradient = 0;
  EXPECT_NEAR(PinballLoss({&raw, 1}, {0.5}, 0, 1, 3, &gradient), 1.75, 1e-6);
  EXPECT_EQ(gradient, -1);
}

TEST(PinballLoss, GradientsAgreeWithNumericalOnes) {
  base::Random random(1);
  for (int round = 0; round < 200; ++round) {
    auto raw = Values(kLevels.size(), static_cast<std::uint64_t>(round));
    const auto centre = static_cast<float>(random.Normal());
    const auto truth = static_cast<float>(4 * random.Normal());
    std::vector<float> gradient(kLevels.size());
    std::vector<float> unused(kLevels.size());
    PinballLoss(raw, kLevels, 3, centre, truth, gradient.data());
    std::vector<float> quantiles(kLevels.size());
    Spread(raw, 3, centre, quantiles.data());
    constexpr float kStep = 1e-3F;
    // Where a quantile meets the truth there is a corner: no derivative to compare with.
    const bool corner = std::any_of(quantiles.begin(), quantiles.end(),
                                    [&](float q) { return std::abs(q - truth) < 3 * kStep; });
    if (corner) continue;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const float before = raw[i];
      raw[i] = before + kStep;
      const double up = PinballLoss(raw, kLevels, 3, centre, truth, unused.data());
      raw[i] = before - kStep;
      const double down = PinballLoss(raw, kLevels, 3, centre, truth, unused.data());
      raw[i] = before;
      EXPECT_NEAR(gradient[i], (up - down) / (2 * kStep), 2e-3) << "raw output " << i;
    }
  }
}

TEST(Softplus, ComesBackAndStaysPositive) {
  for (const float y : {0.001F, 0.1F, 1.0F, 20.0F, 1000.0F})
    EXPECT_NEAR(Softplus(SoftplusInverse(y)), y, 1e-4 * y);
  EXPECT_GT(Softplus(SoftplusInverse(0)), 0);
  EXPECT_EQ(Softplus(-1000), 0);
  EXPECT_EQ(Softplus(1000), 1000);
}

}  // namespace
}  // namespace flowcast::lstm
