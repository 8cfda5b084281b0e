// Rows of input, laid out as the parts of a network read them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {

struct Batch {
  std::int64_t rows = 0;
  std::vector<float> steps;  // [length][rows][step columns]
  std::vector<float> flat;   // [rows][flat columns]
  std::vector<float> last;   // [rows][targets]

  /// Takes the rows at these positions of `inputs` and `context`. What is no finite number counts as 0, what
  /// is beyond +-kLargestInput as that. Keeps its memory.
  void Fill(const NetworkShape& shape, std::span<const float> inputs, std::span<const float> context,
            std::span<const std::int64_t> positions);
};

inline constexpr float kLargestInput = 1e15F;

}  // namespace flowcast::lstm
