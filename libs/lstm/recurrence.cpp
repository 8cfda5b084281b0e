// LSTM layers step by step.
#include "libs/lstm/internal/recurrence.h"

#include <algorithm>
#include <utility>

#include "libs/lstm/internal/cell.h"
#include "libs/lstm/internal/gates.h"

namespace flowcast::lstm {
namespace {

// What a block needs of a step stays in the first-level cache, its weights in the second.
constexpr std::int64_t kBlockRows = 48;

std::int64_t WholeTiles(std::int64_t columns) {
  return (columns + kTileColumns - 1) / kTileColumns * kTileColumns;
}

// [columns][inputs], as the parameters are, to lines of the tiles.
void Pack(const std::vector<float>& weights, std::int64_t inputs, std::int64_t first_line, std::int64_t lines,
          std::vector<float>& tiles) {
  for (std::int64_t at = 0; at < std::ssize(weights); ++at) {
    const std::int64_t column = at / inputs;
    const std::int64_t line = first_line + at % inputs;
    tiles[Size((column / kTileColumns * lines + line) * kTileColumns + column % kTileColumns)] =
        weights[Size(at)];
  }
}

}  // namespace

Recurrence::Recurrence(const NetworkShape& shape, const Parameters& parameters)
    : length_(shape.io.length), hidden_(shape.hidden) {
  const std::int64_t columns = WholeTiles(4 * hidden_);
  for (std::size_t i = 0; i < Size(shape.layers); ++i) {
    const std::vector<float>* const own = &parameters[4 * i];
    Layer layer{.inputs = i == 0 ? shape.step_columns() : hidden_};
    const std::int64_t lines = TileLines(layer.inputs + hidden_);
    layer.weights.resize(Size(columns * lines));
    Pack(own[0], layer.inputs, 0, lines, layer.weights);
    Pack(own[1], hidden_, layer.inputs, lines, layer.weights);
    layer.bias.resize(Size(columns));
    std::transform(own[2].begin(), own[2].end(), own[3].begin(), layer.bias.begin(), std::plus<>());
    layers_.push_back(std::move(layer));
  }
  gates_.resize(Size(kBlockRows * 4 * hidden_));
  cells_.resize(Size(kBlockRows * hidden_));
  cells_before_.resize(cells_.size());
}

const float* Recurrence::Run(const float* steps, std::int64_t rows) {
  const std::int64_t layer_size = length_ * rows * hidden_;
  outputs_.resize(std::max(outputs_.size(), Size(layer_size) * std::min<std::size_t>(layers_.size(), 2)));
  for (std::int64_t begin = 0; begin < rows; begin += kBlockRows)
    RunBlock(steps, rows, begin, std::min(kBlockRows, rows - begin));
  return outputs_.data() + (layers_.size() - 1) % 2 * Size(layer_size);
}

void Recurrence::RunBlock(const float* steps, std::int64_t rows, std::int64_t begin, std::int64_t count) {
  const std::int64_t layer_size = length_ * rows * hidden_;
  const float* from = steps;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    float* const to = outputs_.data() + i % 2 * Size(layer_size);
    for (std::int64_t t = 0; t < length_; ++t) {
      float* const hidden = to + (t * rows + begin) * hidden_;
      const float* const hidden_before = t > 0 ? hidden - rows * hidden_ : nullptr;
      SumGates({from + (t * rows + begin) * layer.inputs, layer.inputs, hidden_before, hidden_},
               layer.weights.data(), layer.bias.data(), count, 4 * hidden_, gates_.data());
      std::swap(cells_, cells_before_);
      CellForward(gates_.data(), t > 0 ? cells_before_.data() : nullptr, cells_.data(), hidden, count,
                  hidden_);
    }
    from = to;
  }
}

}  // namespace flowcast::lstm
