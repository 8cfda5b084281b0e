// The seam to networks: what they learn from and how they are asked. Implemented by libs/lstm and by fakes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace flowcast::training {

/// Row-major: inputs [count][length][features], targets [count], in the sequences' own scale.
struct Examples {
  std::vector<float> inputs;
  std::vector<float> targets;
  std::size_t count() const { return targets.size(); }
};

/// One value a sequence, in the sequence's own scale. Not thread-safe.
class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual std::vector<float> Predict(std::span<const float> inputs) = 0;
  virtual std::int64_t length() const = 0;
  virtual std::int64_t features() const = 0;
};

/// Makes a predictor of a model's weights. Throws base::RuntimeError when they are not usable.
using PredictorLoader = std::function<std::unique_ptr<Predictor>(const std::string& weights)>;

struct EpochResult {
  int number = 0;  // 0 is the untrained network
  double training_loss = 0;
  double validation_loss = 0;
};

struct TrainedNetwork {
  std::string weights;
  std::int64_t parameters = 0;
  int best_epoch = 0;
  std::vector<EpochResult> history;
};

/// Called after each epoch; false ends the training.
using EpochListener = std::function<bool(const EpochResult&)>;

/// A kind of network with its settings.
class Learner {
 public:
  virtual ~Learner() = default;
  /// `skip_feature` is the column that the target continues.
  virtual TrainedNetwork Train(const Examples& training, const Examples& validation, std::int64_t length,
                               std::int64_t features, std::int64_t skip_feature,
                               const EpochListener& listener) = 0;
};

}  // namespace flowcast::training
