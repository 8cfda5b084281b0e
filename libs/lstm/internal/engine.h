// A model at work: networks of one shape, their answers averaged.
#pragma once

#include <span>
#include <vector>

#include "libs/lstm/internal/head.h"
#include "libs/lstm/internal/recurrence.h"

namespace flowcast::lstm {

class Engine : public training::Predictor {
 public:
  explicit Engine(Weights weights);

  const training::Shape& shape() const override { return weights_.shape.io; }
  /// Throws base::ConfigError for a part of a row, or when inputs and context are not of as many rows.
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> context) override;

 private:
  struct Member {
    Recurrence recurrence;
    Head head;
  };

  void CheckRows(std::span<const float> inputs, std::span<const float> context) const;
  void PredictBatch(float* answers);

  Weights weights_;
  std::vector<Member> members_;
  Batch batch_;
};

}  // namespace flowcast::lstm
