// The matrix products of an LSTM's step, for inference.
#pragma once

#include <cstdint>

namespace flowcast::lstm {

/// Columns that lie side by side in the weights.
inline constexpr std::int64_t kTileColumns = 16;

/// Lines of kTileColumns, a cache line each, that a tile of the weights takes: one for each input, and an odd
/// number, so that the tiles do not compete for the same sets of the cache.
constexpr std::int64_t TileLines(std::int64_t inputs) { return inputs | 1; }

struct GateInputs {
  const float* inputs;
  std::int64_t input_count;
  const float* hidden;  // null before the first step
  std::int64_t hidden_count;
};

/// gates [rows][columns] = bias + weights (inputs, hidden), row-major. Weights are
/// [tile][TileLines(input_count + hidden_count)][kTileColumns]; they and the bias are filled up to whole
/// tiles. Each value is summed up from the bias on in the order of the inputs, whatever the number of rows.
void SumGates(const GateInputs& given, const float* weights, const float* bias, std::int64_t rows,
              std::int64_t columns, float* gates);

}  // namespace flowcast::lstm
