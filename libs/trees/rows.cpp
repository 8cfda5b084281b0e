// Sequences to rows.
#include "libs/trees/rows.h"

namespace flowcast::trees {

std::size_t ColumnsOf(const training::Shape& shape) {
  return static_cast<std::size_t>(shape.length - 1 + shape.features - 1) + shape.context_size();
}

float AppendRow(const training::Shape& shape, std::size_t target, std::span<const float> inputs,
                std::span<const float> context, std::vector<float>& row) {
  const auto features = static_cast<std::size_t>(shape.features);
  const auto column = static_cast<std::size_t>(shape.targets[target]);
  const std::span<const float> newest = inputs.last(features);
  const float last = newest[column];
  for (std::size_t at = column; at + features < inputs.size(); at += features) row.push_back(inputs[at] - last);
  for (std::size_t i = 0; i < features; ++i) {
    if (i != column) row.push_back(newest[i]);
  }
  // Pairs of usual value and whether it is known, target by target; see training::AppendContext.
  const bool pairs = shape.context_size() == 2 * shape.target_size();
  const std::size_t first = 2 * target * shape.horizons.size();
  for (std::size_t i = 0; i < context.size(); ++i) {
    const bool own = pairs && i % 2 == 0 && i >= first && i < first + 2 * shape.horizons.size();
    row.push_back(own && context[i + 1] > 0 ? context[i] - last : context[i]);
  }
  return last;
}

}  // namespace flowcast::trees
