// A learner and a predictor without a network: the weights are a text that says what they answer.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/error.h"
#include "libs/feature/schema.h"
#include "libs/training/learner.h"

namespace flowcast::support {

/// Answers the same to everything; "nan" is no number. Particular about its rows, as the real ones are.
class FakePredictor : public training::Predictor {
 public:
  FakePredictor(float answer, training::Shape shape) : answer_(answer), shape_(std::move(shape)) {}
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> context) override {
    const std::size_t count = inputs.size() / shape_.input_size();
    if (context.size() != count * shape_.context_size()) throw base::ConfigError("the context does not fit");
    return std::vector<float>(count * shape_.answer_size(), answer_);
  }
  const training::Shape& shape() const override { return shape_; }

 private:
  float answer_;
  training::Shape shape_;
};

/// Weights are a number ("0.5", "nan"), and behind it perhaps how many columns of context they want ("0.5
/// 2"); anything else is damaged. Sequences of three windows.
inline training::PredictorLoader LoadFake(std::int64_t length = 3,
                                          std::int64_t features = feature::kFeatureCount,
                                          const std::vector<int>& horizons = {1},
                                          const std::vector<std::int64_t>& targets = {0}) {
  const training::Shape shape{
      .length = length, .features = features, .targets = targets, .horizons = horizons};
  return [shape](const std::string& weights) -> std::unique_ptr<training::Predictor> {
    try {
      std::size_t end = 0;
      const float answer = std::stof(weights, &end);
      training::Shape read = shape;
      if (end < weights.size()) read.context = std::stoll(weights.substr(end));
      return std::make_unique<FakePredictor>(answer, read);
    } catch (const std::logic_error&) {
      throw base::RuntimeError("the weights are damaged");
    }
  };
}

inline training::PredictorLoader LoadFake(std::int64_t length, std::int64_t features, int horizon) {
  return LoadFake(length, features, std::vector<int>{horizon});
}

/// Learns nothing in three epochs: its weights are what it is told, its checkpoint is the number of epochs,
/// and it remembers what it was given.
class FakeLearner : public training::Learner {
 public:
  training::TrainedNetwork Train(const training::Shape& asked, const training::Examples& training,
                                 const training::Examples& validation,
                                 const training::TrainingHooks& hooks) override {
    ++runs;
    training_count = training.count;
    validation_count = validation.count;
    shape = asked;
    training::TrainedNetwork trained{.weights = weights, .parameters = 42, .best_epoch = 1};
    if (!hooks.checkpoint.empty()) trained.resumed_at = std::stoi(hooks.checkpoint);
    for (int epoch = trained.resumed_at; epoch < 3; ++epoch) {
      trained.history.push_back({epoch, 1.0 / (1 + epoch), 2.0 / (1 + epoch)});
      if (hooks.keep_checkpoint) hooks.keep_checkpoint(std::to_string(epoch + 1));
      if (hooks.listener && !hooks.listener(trained.history.back())) break;
    }
    return trained;
  }

  std::string weights = "0";
  int runs = 0;
  std::size_t training_count = 0;
  std::size_t validation_count = 0;
  training::Shape shape;
};

}  // namespace flowcast::support
