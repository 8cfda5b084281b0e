// Adapts Network to training::Learner and training::Predictor.
#include "libs/lstm/learner.h"

#include <algorithm>

namespace flowcast::lstm {
namespace {

class NetworkPredictor : public training::Predictor {
 public:
  explicit NetworkPredictor(Network network) : network_(std::move(network)) {}
  std::vector<float> Predict(std::span<const float> inputs) override { return network_.Predict(inputs); }
  std::int64_t length() const override { return network_.shape().length; }
  std::int64_t features() const override { return network_.shape().features; }

 private:
  Network network_;
};

training::EpochResult ToResult(const Epoch& epoch) {
  return {epoch.number, epoch.training_loss, epoch.validation_loss};
}

}  // namespace

training::TrainedNetwork LstmLearner::Train(const training::Examples& training,
                                            const training::Examples& validation, std::int64_t length,
                                            std::int64_t features, std::int64_t skip_feature,
                                            const training::EpochListener& listener) {
  Network network({.features = features,
                   .length = length,
                   .hidden = options_.hidden,
                   .layers = options_.layers,
                   .dropout = options_.dropout,
                   .skip_feature = skip_feature},
                  options_.training.seed);
  const auto epochs = lstm::Train(network, training, validation, options_.training,
                                  [&listener](const Epoch& epoch) { return listener(ToResult(epoch)); });
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
