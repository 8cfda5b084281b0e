// From a network's last layer to quantiles, for inference.
#pragma once

#include <vector>

#include "libs/lstm/internal/batch.h"

namespace flowcast::lstm {

/// Over plain memory and row by row, with a fixed order of summation, so that a row's answer does not depend
/// on the others. Not thread-safe.
class Head {
 public:
  Head(const NetworkShape& shape, const Parameters& parameters);

  /// Adds the rows' quantiles to `answers` [batch.rows][targets][horizons][levels]. `hidden` is
  /// [length][batch.rows][hidden]. An answer that is not finite becomes the target's last value.
  void Add(const Batch& batch, const float* hidden, float* answers);

 private:
  // y = bias + weight x, the weight kept column by column.
  struct Affine {
    Affine() = default;
    Affine(const std::vector<float>& weight, const std::vector<float>& bias);
    void Apply(const float* x, float* y) const;
    std::size_t inputs = 0;
    std::vector<float> columns;
    std::vector<float> bias;
  };

  void Attend(const float* hidden, std::int64_t batch_rows, std::int64_t row);
  void AddAnswers(const float* last, float* answers);

  NetworkShape shape_;
  Affine attention_;
  Affine skip_;
  Affine hidden_;
  Affine head_;
  std::vector<float> features_;  // state, then flat
  std::vector<float> query_;
  std::vector<float> scores_;
  std::vector<float> activated_;
  std::vector<float> centres_;
  std::vector<float> raw_;
  std::vector<float> quantiles_;
};

}  // namespace flowcast::lstm
