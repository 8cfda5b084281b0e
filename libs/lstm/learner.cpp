// The seam's classes, and what they refuse.
#include "libs/lstm/learner.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"
#include "libs/lstm/internal/engine.h"
#include "libs/lstm/internal/trainer.h"

namespace flowcast::lstm {
namespace {

using training::Examples;

void Require(bool condition, const std::string& text) {
  if (!condition) throw base::ConfigError(text);
}

void CheckOptions(const LearnerOptions& options) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  const TrainingOptions& training = options.training;
  Require(options.members >= 1 && options.members <= 64, "the ensemble must have 1 to 64 members");
  Require(training.epochs >= 0, "the number of epochs must not be negative");
  Require(training.patience >= 1, "the patience must be at least one epoch");
  Require(training.batch_size >= 1, "the batch size must be at least 1");
  Require(training.threads >= 1, "the number of threads must be at least 1");
  Require(positive(training.learning_rate), "the learning rate must be positive");
  Require(positive(training.gradient_clip), "the gradient clip must be positive");
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

void CheckSize(const std::string& what, const std::vector<float>& values, std::size_t needed) {
  Require(values.size() == needed, what + ": " + std::to_string(needed) + " values needed, " +
                                       std::to_string(values.size()) + " given");
}

void CheckExamples(const std::string& name, const Examples& examples, const training::Shape& shape) {
  Require(examples.count > 0, "there are no " + name + " examples");
  CheckSize(name + " inputs", examples.inputs, examples.count * shape.input_size());
  CheckSize(name + " context", examples.context, examples.count * shape.context_size());
  CheckSize(name + " targets", examples.targets, examples.count * shape.target_size());
  if (!examples.weights.empty()) {
    CheckSize(name + " weights", examples.weights, examples.count * shape.targets.size());
  }
  const auto good = [](float truth) { return !std::isinf(truth); };
  Require(AllFinite(examples.inputs) && AllFinite(examples.context) && AllFinite(examples.weights) &&
              std::all_of(examples.targets.begin(), examples.targets.end(), good),
          name + " examples hold a value that is not finite");
  Require(std::none_of(examples.weights.begin(), examples.weights.end(), [](float x) { return x < 0; }),
          name + " examples hold a negative weight");
  Require(
      !std::all_of(examples.targets.begin(), examples.targets.end(), [](float x) { return std::isnan(x); }),
      name + " examples hold no truth");
}

}  // namespace

training::TrainedNetwork LstmLearner::Train(const training::Shape& shape, const Examples& training,
                                            const Examples& validation,
                                            const training::TrainingHooks& hooks) {
  const NetworkShape network = ShapeOf(shape, options_);
  CheckShape(network);
  CheckOptions(options_);
  CheckExamples("training", training, shape);
  CheckExamples("validation", validation, shape);
  return TrainEnsemble(network, options_, training, validation, hooks);
}

std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights) {
  return std::make_unique<Engine>(DecodeWeights(weights));
}

}  // namespace flowcast::lstm
