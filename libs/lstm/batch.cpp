// Rows of input for a network.
#include "libs/lstm/internal/batch.h"

#include <algorithm>
#include <cmath>

namespace flowcast::lstm {
namespace {

float Sane(float value) {
  return std::isfinite(value) ? std::clamp(value, -kLargestInput, kLargestInput) : 0;
}

class Row {
 public:
  Row(const NetworkShape& shape, Batch& batch, std::int64_t row) : shape_(shape), batch_(batch), row_(row) {}

  void TakeInputs(const float* inputs) {
    for (std::int64_t target = 0; target < shape_.targets(); ++target) {
      Last(target) = Sane(inputs[(shape_.io.length - 1) * shape_.io.features + Column(target)]);
    }
    for (std::int64_t t = 0; t < shape_.io.length; ++t) TakeStep(inputs + t * shape_.io.features, t);
  }

  void TakeContext(const float* context) {
    float* const out = Flat() + shape_.io.length * shape_.targets();
    std::transform(context, context + shape_.io.context, out, Sane);
  }

 private:
  std::int64_t Column(std::int64_t target) const {
    return shape_.io.targets[static_cast<std::size_t>(target)];
  }
  float& Last(std::int64_t target) {
    return batch_.last[static_cast<std::size_t>(row_ * shape_.targets() + target)];
  }
  float* Flat() { return batch_.flat.data() + row_ * shape_.flat_columns(); }

  void TakeStep(const float* step, std::int64_t t) {
    float* const out = batch_.steps.data() + (t * batch_.rows + row_) * shape_.step_columns();
    std::transform(step, step + shape_.io.features, out, Sane);
    for (std::int64_t target = 0; target < shape_.targets(); ++target) {
      float* const flat = Flat() + target * shape_.io.length;
      flat[t] = Sane(step[Column(target)]) - Last(target);
      out[Column(target)] = flat[t];
      out[shape_.io.features + target] = t > 0 ? flat[t] - flat[t - 1] : 0;
    }
  }

  const NetworkShape& shape_;
  Batch& batch_;
  std::int64_t row_;
};

}  // namespace

void Batch::Fill(const NetworkShape& shape, std::span<const float> inputs, std::span<const float> context,
                 std::span<const std::int64_t> positions) {
  rows = static_cast<std::int64_t>(positions.size());
  steps.resize(positions.size() * static_cast<std::size_t>(shape.io.length * shape.step_columns()));
  flat.resize(positions.size() * static_cast<std::size_t>(shape.flat_columns()));
  last.resize(positions.size() * static_cast<std::size_t>(shape.targets()));
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t position = positions[static_cast<std::size_t>(i)];
    Row row(shape, *this, i);
    row.TakeInputs(inputs.data() + position * shape.io.length * shape.io.features);
    row.TakeContext(context.data() + position * shape.io.context);
  }
}

}  // namespace flowcast::lstm
