// Adapts Network to training::Learner and training::Predictor.
#include "libs/lstm/learner.h"

#include <algorithm>
#include <cmath>

namespace flowcast::lstm {
namespace {

class NetworkPredictor : public training::Predictor {
 public:
  explicit NetworkPredictor(Network network)
      : network_(std::move(network)),
        shape_{.length = network_.shape().length,
               .features = network_.shape().features,
               .targets = {network_.shape().skip_feature}} {}
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> /*context*/) override {
    return network_.Predict(inputs);
  }
  const training::Shape& shape() const override { return shape_; }

 private:
  Network network_;
  training::Shape shape_;
};

// The first target at the first horizon, where it is known.
Examples FirstAnswers(const training::Shape& shape, const training::Examples& from) {
  Examples examples;
  for (std::size_t i = 0; i < from.count; ++i) {
    const float target = from.targets[i * shape.target_size()];
    if (std::isnan(target)) continue;
    const auto row = from.inputs.begin() + static_cast<std::ptrdiff_t>(i * shape.input_size());
    examples.inputs.insert(examples.inputs.end(), row, row + static_cast<std::ptrdiff_t>(shape.input_size()));
    examples.targets.push_back(target);
  }
  return examples;
}

training::EpochResult ToResult(const Epoch& epoch) {
  return {epoch.number, epoch.training_loss, epoch.validation_loss};
}

}  // namespace

training::TrainedNetwork LstmLearner::Train(const training::Shape& shape, const training::Examples& training,
                                            const training::Examples& validation,
                                            const training::TrainingHooks& hooks) {
  Network network({.features = shape.features,
                   .length = shape.length,
                   .hidden = options_.hidden,
                   .layers = options_.layers,
                   .dropout = options_.dropout,
                   .skip_feature = shape.targets.front()},
                  options_.training.seed);
  const auto epochs = lstm::Train(
      network, FirstAnswers(shape, training), FirstAnswers(shape, validation), options_.training,
      [&hooks](const Epoch& epoch) { return !hooks.listener || hooks.listener(ToResult(epoch)); });
  training::TrainedNetwork trained{.weights = network.Save(), .parameters = network.parameter_count()};
  std::transform(epochs.begin(), epochs.end(), std::back_inserter(trained.history), ToResult);
  const auto best = std::min_element(epochs.begin(), epochs.end(), [](const Epoch& a, const Epoch& b) {
    return a.validation_loss < b.validation_loss;
  });
  trained.best_epoch = best == epochs.end() ? 0 : best->number;
  return trained;
}

std::optional<std::string> BlasAdvice() {
  if (!UsesSlowBlas()) return std::nullopt;
  return "libtorch runs on the reference BLAS, which is about ten times slower; install libopenblas0-pthread";
}

std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights) {
  return std::make_unique<NetworkPredictor>(Network::Load(weights));
}

}  // namespace flowcast::lstm
