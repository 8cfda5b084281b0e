// The LSTM behind the seam: what it learns, how it goes on, what it refuses.
#include "libs/lstm/learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "tests/support/series.h"

namespace flowcast::lstm {
namespace {

using support::ExamplesOf;
using testing::ElementsAre;
using testing::HasSubstr;
using training::EpochResult;
using training::Examples;
using training::Shape;

const Shape kShape{.length = 6, .features = 1, .horizons = {1, 2}, .levels = {0.1, 0.5, 0.9}};

// A sawtooth of period 4, whose height wanders.
std::vector<double> Sawtooth(std::size_t count, std::uint64_t seed) {
  constexpr double kPattern[] = {0, 1, 0, -1};
  base::Random random(seed);
  std::vector<double> series;
  double height = 10;
  for (std::size_t i = 0; i < count; ++i) {
    height += 0.1 * random.Normal();
    series.push_back(height * kPattern[i % 4] + 0.1 * random.Normal());
  }
  return series;
}

LearnerOptions Quick() {
  return {.hidden = 8,
          .layers = 2,
          .dropout = 0.1,
          .head_size = 4,
          .training = {.epochs = 12,
                       .patience = 8,
                       .learning_rate = 1e-2,
                       .optimizer = Optimizer::kAdam,
                       .batch_size = 32}};
}

training::TrainedNetwork Train(const LearnerOptions& options, const training::TrainingHooks& hooks = {}) {
  return LstmLearner(options).Train(kShape, ExamplesOf(kShape, Sawtooth(400, 1)),
                                    ExamplesOf(kShape, Sawtooth(120, 2)), hooks);
}

LearnerOptions Untrained(LearnerOptions options) {
  options.training.epochs = 0;
  return options;
}

double MeanAbsoluteError(const std::string& weights, const Examples& examples) {
  const auto predictor = LoadPredictor(weights);
  const auto answers = predictor->Predict(examples.inputs, examples.context);
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < examples.targets.size(); ++i) {
    if (std::isnan(examples.targets[i])) continue;
    sum += std::abs(examples.targets[i] - answers[3 * i + 1]);
    ++count;
  }
  return sum / count;
}

TEST(Untrained, IsPersistenceAtEveryTargetAndHorizon) {
  const Shape shape{.length = 5,
                    .features = 3,
                    .context = 2,
                    .targets = {2, 0},
                    .horizons = {1, 3, 12},
                    .levels = {0.05, 0.5, 0.95}};
  base::Random random(1);
  Examples examples{.count = 300};
  for (std::size_t i = 0; i < 300 * 15; ++i) examples.inputs.push_back(static_cast<float>(random.Normal()));
  for (std::size_t i = 0; i < 300 * 2; ++i) examples.context.push_back(static_cast<float>(random.Normal()));
  for (std::size_t i = 0; i < 300 * 6; ++i) examples.targets.push_back(static_cast<float>(random.Normal()));
  for (const bool attention : {false, true}) {
    LearnerOptions options = Untrained(Quick());
    options.attention = attention;
    const auto trained = LstmLearner(options).Train(shape, examples, examples, {});
    const auto predictor = LoadPredictor(trained.weights);
    ASSERT_EQ(predictor->shape(), shape);
    const auto answers = predictor->Predict(examples.inputs, examples.context);
    ASSERT_EQ(answers.size(), 300 * shape.answer_size());
    for (std::size_t i = 0; i < 300; ++i) {
      for (std::size_t horizon = 0; horizon < 3; ++horizon) {
        const float* const row = answers.data() + i * shape.answer_size();
        const float* const last = examples.inputs.data() + i * 15 + 12;
        EXPECT_EQ(row[shape.AnswerAt(0, horizon, 1)], last[2]);
        EXPECT_EQ(row[shape.AnswerAt(1, horizon, 1)], last[0]);
      }
    }
  }
}

TEST(Untrained, HasQuantilesAsFarApartAsPersistenceIsWrong) {
  const Shape shape{.length = 4, .features = 1, .levels = {0.05, 0.5, 0.95}};
  base::Random random(1);
  std::vector<double> walk{0};
  while (walk.size() < 3000) walk.push_back(walk.back() + random.Normal());
  const Examples examples = ExamplesOf(shape, walk);
  const auto trained = LstmLearner(Untrained(Quick())).Train(shape, examples, examples, {});
  const auto answers = LoadPredictor(trained.weights)->Predict(examples.inputs, {});
  int covered = 0;
  for (std::size_t i = 0; i + 1 < examples.count; ++i) {
    covered += answers[3 * i] <= examples.targets[i] && examples.targets[i] <= answers[3 * i + 2] ? 1 : 0;
  }
  EXPECT_NEAR(covered / 3000.0, 0.9, 0.02);
}

TEST(Training, LearnsAPatternThatPersistenceCannotSee) {
  const Examples test = ExamplesOf(kShape, Sawtooth(200, 3));
  const double persistence = MeanAbsoluteError(Train(Untrained(Quick())).weights, test);
  for (const bool attention : {false, true}) {
    LearnerOptions options = Quick();
    options.attention = attention;
    const auto trained = Train(options);
    EXPECT_LT(MeanAbsoluteError(trained.weights, test), 0.15 * persistence);
    ASSERT_GT(trained.history.size(), 2U);
    EXPECT_EQ(trained.history.front().number, 0);
    EXPECT_LT(trained.history.back().training_loss, 0.3 * trained.history.front().training_loss);
    EXPECT_GT(trained.best_epoch, 0);
    EXPECT_GT(trained.parameters, 8 * 4 * (2 + 8));
  }
}

TEST(Training, LearnsWhatTheContextTells) {
  const Shape shape{.length = 3, .features = 1, .context = 1};
  base::Random random(1);
  Examples examples{.count = 400};
  for (std::size_t i = 0; i < 400; ++i) {
    for (int step = 0; step < 3; ++step) examples.inputs.push_back(static_cast<float>(random.Normal()));
    examples.context.push_back(static_cast<float>(random.Normal()));
    examples.targets.push_back(examples.inputs.back() + 2 * examples.context.back());
  }
  const auto trained = LstmLearner(Quick()).Train(shape, examples, examples, {});
  EXPECT_LT(trained.history.back().validation_loss, 0.1 * trained.history.front().validation_loss);
}

TEST(Training, WorksWithEveryOptimizerAndWithoutAHead) {
  const Examples test = ExamplesOf(kShape, Sawtooth(200, 3));
  const double persistence = MeanAbsoluteError(Train(Untrained(Quick())).weights, test);
  for (const auto& [optimizer, rate] :
       {std::pair{Optimizer::kAdam, 0.01}, {Optimizer::kAdamW, 0.01}, {Optimizer::kSgd, 0.05}}) {
    LearnerOptions options = Quick();
    options.head_size = 0;
    options.layers = 1;
    options.training.optimizer = optimizer;
    options.training.learning_rate = rate;
    EXPECT_LT(MeanAbsoluteError(Train(options).weights, test), 0.4 * persistence) << rate;
  }
}

TEST(Training, CountsErrorsByTheirWeight) {
  const Shape shape{.length = 2, .features = 1};
  Examples examples{.count = 200};
  for (std::size_t i = 0; i < 200; ++i) {
    examples.inputs.insert(examples.inputs.end(), {0, 0});
    examples.targets.push_back(i % 3 == 0 ? 1.0F : -1.0F);
    examples.weights.push_back(i % 3 == 0 ? 100.0F : 1.0F);
  }
  LearnerOptions options = Quick();
  options.training.epochs = 60;
  const auto trained = LstmLearner(options).Train(shape, examples, examples, {});
  const auto answers = LoadPredictor(trained.weights)->Predict({{0.0F, 0.0F}}, {});
  EXPECT_NEAR(answers[0], 1, 0.1) << "fewer, but heavier";
}

// Nothing to learn: the validation part says what persistence says, so epoch 0 is the best.
TEST(Training, StopsWhenPatienceEndsAndKeepsTheBestEpoch) {
  Examples validation = ExamplesOf(kShape, Sawtooth(120, 2));
  std::fill(validation.targets.begin(), validation.targets.end(), 0.0F);
  LearnerOptions options = Quick();
  options.training.patience = 3;
  const Examples examples = ExamplesOf(kShape, Sawtooth(400, 1));
  const auto trained = LstmLearner(options).Train(kShape, examples, validation, {});
  EXPECT_EQ(trained.best_epoch, 0);
  EXPECT_EQ(trained.history.size(), 4U);
  const auto untrained = LstmLearner(Untrained(options)).Train(kShape, examples, validation, {});
  EXPECT_EQ(trained.weights, untrained.weights);
}

TEST(Training, EndsWhenTheListenerSaysSo) {
  std::vector<int> heard;
  const auto trained = Train(Quick(), {.listener = [&](const EpochResult& epoch) {
                               heard.push_back(epoch.number);
                               return epoch.number < 2;
                             }});
  EXPECT_THAT(heard, ElementsAre(1, 2));
  EXPECT_EQ(trained.history.size(), 3U);
}

TEST(Training, OfTheSameSeedOptionsAndExamplesGivesTheSameBytesOnOneThreadAndOnTwo) {
  const auto train = [](std::uint64_t seed, int threads) {
    LearnerOptions options = Quick();
    options.members = 2;
    options.training.epochs = 3;
    options.training.seed = seed;
    options.training.threads = threads;
    return Train(options).weights;
  };
  const std::string weights = train(1, 1);
  EXPECT_EQ(weights, train(1, 1));
  EXPECT_EQ(weights, train(1, 2));
  EXPECT_NE(weights, train(2, 1));
}

TEST(Training, ResumedFromACheckpointGivesTheSameWeightsAsWithoutABreak) {
  LearnerOptions options = Quick();
  options.members = 2;
  options.training.epochs = 6;
  const auto straight = Train(options);
  std::vector<std::string> checkpoints;
  Train(options, {.listener = [](const EpochResult& epoch) { return epoch.number < 4; },
                  .keep_checkpoint = [&](const std::string& bytes) { checkpoints.push_back(bytes); }});
  ASSERT_EQ(checkpoints.size(), 4U);
  for (const int epoch : {1, 4}) {
    const auto resumed = Train(options, {.checkpoint = checkpoints[static_cast<std::size_t>(epoch - 1)]});
    EXPECT_EQ(resumed.resumed_at, epoch);
    EXPECT_EQ(resumed.weights, straight.weights);
    EXPECT_EQ(resumed.history.size(), straight.history.size());
    EXPECT_EQ(resumed.history.back().validation_loss, straight.history.back().validation_loss);
  }
}

TEST(Training, StartsAfreshWhenTheCheckpointIsOfSomethingElseOrDamaged) {
  LearnerOptions options = Quick();
  options.training.epochs = 2;
  std::string checkpoint;
  const auto straight =
      Train(options, {.keep_checkpoint = [&](const std::string& bytes) { checkpoint = bytes; }});
  for (std::size_t size = 0; size < checkpoint.size(); size += checkpoint.size() / 50) {
    const auto cut = Train(options, {.checkpoint = checkpoint.substr(0, size)});
    EXPECT_EQ(cut.resumed_at, 0);
    EXPECT_EQ(cut.weights, straight.weights);
  }
  std::string flipped = checkpoint;
  flipped[flipped.size() / 2] ^= 1;
  EXPECT_EQ(Train(options, {.checkpoint = flipped}).resumed_at, 0);
  options.training.seed = 2;
  EXPECT_EQ(Train(options, {.checkpoint = checkpoint}).resumed_at, 0) << "another seed";
}

TEST(Training, ThatDivergesEndsWithTheBestSoFar) {
  LearnerOptions options = Quick();
  options.training.learning_rate = 1e38;
  const auto trained = Train(options);
  const Examples test = ExamplesOf(kShape, Sawtooth(50, 3));
  for (const float value : LoadPredictor(trained.weights)->Predict(test.inputs, {})) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

// Whatever the series is, no answer and no loss may be NaN.
TEST(Training, OfConstantsZerosOutliersAndOneStepGivesNoNaN) {
  std::vector<double> outlier(200, 1);
  outlier[100] = 1e15;
  std::vector<double> step(200, 0);
  step.back() = 5;
  for (const auto& series : {std::vector<double>(200, 7), std::vector<double>(200, 0), outlier, step}) {
    const Examples examples = ExamplesOf(kShape, series);
    const auto trained = LstmLearner(Quick()).Train(kShape, examples, examples, {});
    for (const EpochResult& epoch : trained.history) EXPECT_TRUE(std::isfinite(epoch.validation_loss));
    for (const float value : LoadPredictor(trained.weights)->Predict(examples.inputs, {})) {
      EXPECT_TRUE(std::isfinite(value));
    }
  }
}

TEST(Training, RefusesExamplesThatDoNotFit) {
  const Examples good = ExamplesOf(kShape, Sawtooth(20, 1));
  const std::vector<std::pair<std::string, std::function<void(Examples&)>>> spoilers = {
      {"there are no training examples", [](Examples& examples) { examples.count = 0; }},
      {"values needed", [](Examples& examples) { examples.inputs.pop_back(); }},
      {"values needed", [](Examples& examples) { examples.targets.pop_back(); }},
      {"values needed", [](Examples& examples) { examples.weights.pop_back(); }},
      {"context: 0 values needed", [](Examples& examples) { examples.context.push_back(0); }},
      {"not finite", [](Examples& examples) { examples.inputs[3] = std::nanf(""); }},
      {"not finite", [](Examples& examples) { examples.targets[3] = INFINITY; }},
      {"negative weight", [](Examples& examples) { examples.weights[3] = -1; }},
      {"no truth",
       [](Examples& examples) { std::fill(examples.targets.begin(), examples.targets.end(), NAN); }}};
  for (const auto& [reason, spoil] : spoilers) {
    Examples bad = good;
    spoil(bad);
    try {
      LstmLearner(Quick()).Train(kShape, bad, good, {});
      ADD_FAILURE() << "accepted; expected: " << reason;
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(reason));
    }
    EXPECT_THROW(LstmLearner(Quick()).Train(kShape, good, bad, {}), base::ConfigError);
  }
}

TEST(Training, RefusesOptionsThatCannotBe) {
  const Examples examples = ExamplesOf(kShape, Sawtooth(20, 1));
  for (const LearnerOptions& options :
       {LearnerOptions{.hidden = 0}, LearnerOptions{.layers = 1000}, LearnerOptions{.dropout = 1},
        LearnerOptions{.dropout = std::nan("")}, LearnerOptions{.head_size = -1},
        LearnerOptions{.members = 0}, LearnerOptions{.training = {.epochs = -1}},
        LearnerOptions{.training = {.patience = 0}}, LearnerOptions{.training = {.learning_rate = 0}},
        LearnerOptions{.training = {.batch_size = 0}},
        LearnerOptions{.training = {.gradient_clip = std::nan("")}},
        LearnerOptions{.training = {.threads = 0}}}) {
    EXPECT_THROW(LstmLearner(options).Train(kShape, examples, examples, {}), base::ConfigError);
  }
}

TEST(LibraryVersion, NamesTorchAndItsBlas) {
  EXPECT_THAT(LibraryVersion(), HasSubstr("libtorch 1.13"));
  EXPECT_EQ(BlasAdvice().has_value(), LibraryVersion().find("slow") != std::string::npos);
}

}  // namespace
}  // namespace flowcast::lstm
