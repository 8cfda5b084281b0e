// What a loader must give, an owner of its own, for a predictor that the test keeps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/training/learner.h"

namespace flowcast::support {

class BorrowedPredictor : public training::Predictor {
 public:
  explicit BorrowedPredictor(training::Predictor& predictor) : predictor_(predictor) {}
  const training::Shape& shape() const override { return predictor_.shape(); }
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> context) override {
    return predictor_.Predict(inputs, context);
  }

 private:
  training::Predictor& predictor_;
};

/// Whatever the weights; `predictor` must outlive what is loaded.
inline training::PredictorLoader Lend(training::Predictor& predictor) {
  return [&predictor](const std::string&) { return std::make_unique<BorrowedPredictor>(predictor); };
}

}  // namespace flowcast::support
