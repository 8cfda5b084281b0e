// The LSTM layers of one network for inference.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {

/// Over plain memory, a block of rows at a time through all layers while it is in the cache. Each value is
/// summed up in one order, input after input, so that a row's answer does not depend on the other rows or on
/// their number. Not thread-safe.
class Recurrence {
 public:
  Recurrence(const NetworkShape& shape, const Parameters& parameters);

  /// [length][rows][step columns] -> the last layer's [length][rows][hidden], valid until the next call.
  const float* Run(const float* steps, std::int64_t rows);

 private:
  struct Layer {
    std::int64_t inputs = 0;
    // Weights of inputs, then of hidden values: [tile of columns][input][column], the last tile filled up
    // with zeros. A column is a gate of a hidden unit.
    std::vector<float> weights;
    std::vector<float> bias;
  };

  /// Rows [begin, begin + count) of `rows`.
  void RunBlock(const float* steps, std::int64_t rows, std::int64_t begin, std::int64_t count);

  std::int64_t length_;
  std::int64_t hidden_;
  std::vector<Layer> layers_;
  std::vector<float> gates_;
  std::vector<float> cells_;
  std::vector<float> cells_before_;
  std::vector<float> outputs_;  // two layers': each reads the one and writes the other
};

}  // namespace flowcast::lstm
