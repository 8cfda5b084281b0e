// How fast the LSTM learns and forecasts: the reference network (2 x 64, 5 features, 10 steps), one thread.
#include <algorithm>
#include <cstdio>
#include <limits>

#include "libs/base/clock.h"
#include "libs/base/random.h"
#include "libs/lstm/learner.h"

namespace {

using namespace flowcast;

constexpr std::size_t kExamples = 4096;
const training::Shape kShape{.length = 10, .features = 5};

training::Examples MakeExamples(std::size_t count) {
  base::Random random(1);
  training::Examples examples{.count = count};
  for (std::size_t i = 0; i < count * kShape.input_size(); ++i)
    examples.inputs.push_back(static_cast<float>(random.Normal()));
  for (std::size_t i = 0; i < count; ++i) examples.targets.push_back(static_cast<float>(random.Normal()));
  return examples;
}

double Now() {
  static const base::SystemClock clock;
  return base::ToSeconds(clock.Steady());
}

lstm::LearnerOptions Options(std::int64_t batch_size, int epochs) {
  return {.hidden = 64,
          .layers = 2,
          .dropout = 0.2,
          .head_size = 0,
          .training = {.epochs = epochs,
                       .patience = 1000,
                       .learning_rate = 1e-3,
                       .optimizer = lstm::Optimizer::kAdam,
                       .batch_size = batch_size}};
}

/// The best epoch of some: what the code can do when nothing disturbs it.
double TrainRate(std::int64_t batch_size) {
  const training::Examples examples = MakeExamples(kExamples);
  const training::Examples validation = MakeExamples(1);
  double best = std::numeric_limits<double>::infinity();
  double began = 0;
  const auto listener = [&](const training::EpochResult& epoch) {
    const double now = Now();
    if (epoch.number > 1) best = std::min(best, now - began);
    began = now;
    return true;
  };
  lstm::LstmLearner(Options(batch_size, 4)).Train(kShape, examples, validation, {.listener = listener});
  return static_cast<double>(kExamples) / best;
}

double InferRate(std::size_t batch_size, int repeats) {
  const training::Examples examples = MakeExamples(batch_size);
  const auto trained = lstm::LstmLearner(Options(32, 0)).Train(kShape, examples, examples, {});
  const auto predictor = lstm::LoadPredictor(trained.weights);
  predictor->Predict(examples.inputs, {});
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 3; ++round) {
    const double began = Now();
    for (int i = 0; i < repeats; ++i) predictor->Predict(examples.inputs, {});
    best = std::min(best, (Now() - began) / repeats);
  }
  return static_cast<double>(batch_size) / best;
}

}  // namespace

int main() {
  std::printf("{\"library\": \"%s\", \"train\": {\"32\": %.0f, \"256\": %.0f}, ",
              lstm::LibraryVersion().c_str(), TrainRate(32), TrainRate(256));
  std::printf("\"infer\": {\"1\": %.0f, \"32\": %.0f, \"256\": %.0f}}\n", InferRate(1, 300),
              InferRate(32, 200), InferRate(256, 100));
  return 0;
}
