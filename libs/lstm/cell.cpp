// The LSTM cell over plain memory.
#include "libs/lstm/internal/cell.h"

#include <bit>

#include "libs/lstm/internal/clones.h"

namespace flowcast::lstm {
namespace {

// 2^n e^r with |r| <= ln(2) / 2; e^r by its Taylor series.
FLOWCAST_INLINE float Exp(float x) {
  x = x < -87.0F ? -87.0F : x;
  x = x > 87.0F ? 87.0F : x;
  constexpr float kRound = 12582912.0F;  // adding it rounds to the nearest integer
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  return p * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

FLOWCAST_INLINE float Sigmoid(float x) { return 1.0F / (1.0F + Exp(-x)); }
FLOWCAST_INLINE float Tanh(float x) { return 1.0F - 2.0F / (Exp(2.0F * x) + 1.0F); }

}  // namespace

FLOWCAST_CLONES
void CellForward(float* gates, const float* cells_before, float* cells, float* hidden, std::int64_t rows,
                 std::int64_t hidden_size) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float* __restrict input = gates + row * 4 * hidden_size;
    float* __restrict forget = input + hidden_size;
    float* __restrict cell = forget + hidden_size;
    float* __restrict output = cell + hidden_size;
    float* __restrict after = cells + row * hidden_size;
    float* __restrict out = hidden + row * hidden_size;
    const float* const before = cells_before == nullptr ? nullptr : cells_before + row * hidden_size;
    for (std::int64_t j = 0; j < hidden_size; ++j) {
      input[j] = Sigmoid(input[j]);
      forget[j] = Sigmoid(forget[j]);
      cell[j] = Tanh(cell[j]);
      output[j] = Sigmoid(output[j]);
      after[j] = input[j] * cell[j];
    }
    if (before != nullptr) {
      for (std::int64_t j = 0; j < hidden_size; ++j) after[j] += forget[j] * before[j];
    }
    for (std::int64_t j = 0; j < hidden_size; ++j) out[j] = output[j] * Tanh(after[j]);
  }
}

FLOWCAST_CLONES
void CellBackward(float* gates, const float* cells_before, const float* cells, const float* hidden_gradient,
                  float* cell_gradient, std::int64_t rows, std::int64_t hidden_size) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float* __restrict input = gates + row * 4 * hidden_size;
    float* __restrict forget = input + hidden_size;
    float* __restrict cell = forget + hidden_size;
    float* __restrict output = cell + hidden_size;
    float* __restrict carried = cell_gradient + row * hidden_size;
    const float* const before = cells_before == nullptr ? nullptr : cells_before + row * hidden_size;
    const float* __restrict after = cells + row * hidden_size;
    const float* __restrict wanted = hidden_gradient + row * hidden_size;
    for (std::int64_t j = 0; j < hidden_size; ++j) {
      const float squashed = Tanh(after[j]);
      const float i = input[j];
      const float f = forget[j];
      const float g = cell[j];
      const float o = output[j];
      const float dc = carried[j] + wanted[j] * o * (1 - squashed * squashed);
      output[j] = wanted[j] * squashed * o * (1 - o);
      input[j] = dc * g * i * (1 - i);
      cell[j] = dc * i * (1 - g * g);
      forget[j] = dc * f * (1 - f);
      carried[j] = dc * f;
    }
    for (std::int64_t j = 0; j < hidden_size; ++j) forget[j] *= before == nullptr ? 0.0F : before[j];
  }
}

}  // namespace flowcast::lstm
