// Matrix products whose sums stay in registers.
#include "libs/lstm/internal/gates.h"

#include <algorithm>
#include <cstring>

#include "libs/lstm/internal/clones.h"

namespace flowcast::lstm {
namespace {

using Wide = float __attribute__((vector_size(64)));    // a register of AVX-512
using Narrow = float __attribute__((vector_size(32)));  // of AVX2

template <typename Vector>
constexpr std::int64_t kWidth = sizeof(Vector) / sizeof(float);

// Columns [begin, begin + kVectors * kWidth) of some rows.
template <typename Vector, int kRows, int kVectors>
struct Block {
  Vector sums[kRows][kVectors];

  FLOWCAST_INLINE explicit Block(const float* bias) {
    for (auto& row : sums) std::memcpy(row, bias, sizeof row);
  }

  // The products of `count` inputs a row with as many lines of the tiles. Loops over rows and vectors are
  // unrolled, else the sums would live in memory.
  FLOWCAST_INLINE void Add(const float* inputs, std::int64_t count, const float* weights, std::int64_t begin,
                           std::int64_t tile_size) {
    for (std::int64_t i = 0; i < count; ++i) {
      Vector lines[kVectors];
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) {
        const std::int64_t column = begin + j * kWidth<Vector>;
        std::memcpy(&lines[j],
                    weights + column / kTileColumns * tile_size + i * kTileColumns + column % kTileColumns,
                    sizeof(Vector));
      }
#pragma GCC unroll 8
      for (int row = 0; row < kRows; ++row) {
        const float input = inputs[row * count + i];
#pragma GCC unroll 8
        for (int j = 0; j < kVectors; ++j) sums[row][j] += input * lines[j];
      }
    }
  }
};

struct Work {
  const GateInputs& given;
  const float* weights;
  const float* bias;
  std::int64_t columns;
  float* gates;

  template <typename Vector, int kRows, int kVectors>
  FLOWCAST_INLINE void SumBlock(std::int64_t row, std::int64_t begin) const {
    const std::int64_t tile_size = TileLines(given.input_count + given.hidden_count) * kTileColumns;
    Block<Vector, kRows, kVectors> block(bias + begin);
    block.Add(given.inputs + row * given.input_count, given.input_count, weights, begin, tile_size);
    if (given.hidden != nullptr) {
      block.Add(given.hidden + row * given.hidden_count, given.hidden_count,
                weights + given.input_count * kTileColumns, begin, tile_size);
    }
    const std::int64_t count = std::min(columns - begin, kVectors * kWidth<Vector>);
    for (int i = 0; i < kRows; ++i) {
      std::memcpy(gates + (row + i) * columns + begin, block.sums[i],
                  static_cast<std::size_t>(count) * sizeof(float));
    }
  }

  // A column of blocks after the other, so that its weights stay in the first-level cache.
  template <typename Vector, int kRows, int kVectors>
  FLOWCAST_INLINE void SumRows(std::int64_t first, std::int64_t last) const {
    std::int64_t column = 0;
    for (; column + (kVectors - 1) * kWidth<Vector> < columns; column += kVectors * kWidth<Vector>) {
      for (std::int64_t row = first; row < last; row += kRows) SumBlock<Vector, kRows, kVectors>(row, column);
    }
    for (; column < columns; column += kWidth<Vector>) {
      for (std::int64_t row = first; row < last; row += kRows) SumBlock<Vector, kRows, 1>(row, column);
    }
  }

  // So many sums at a time that they fill the registers, and that enough of them wait for none of the others.
  template <typename Vector>
  FLOWCAST_INLINE void SumAll(std::int64_t rows) const {
    constexpr std::int64_t kRows = 6;
    const std::int64_t whole = rows - rows % kRows;
    SumRows<Vector, kRows, 2>(0, whole);
    SumRows<Vector, 1, 8>(whole, rows);
  }
};

#ifdef FLOWCAST_CLONED
__attribute__((target("arch=x86-64-v4"))) void Sum(const Work& work, std::int64_t rows) {
  work.SumAll<Wide>(rows);
}
__attribute__((target("arch=x86-64-v3"))) void Sum(const Work& work, std::int64_t rows) {
  work.SumAll<Narrow>(rows);
}
__attribute__((target("default")))
#endif
void Sum(const Work& work, std::int64_t rows) {
  work.SumAll<Narrow>(rows);
}

}  // namespace

void SumGates(const GateInputs& given, const float* weights, const float* bias, std::int64_t rows,
              std::int64_t columns, float* gates) {
  Sum({given, weights, bias, columns, gates}, rows);
}

}  // namespace flowcast::lstm
