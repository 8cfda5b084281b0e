// Batches through the networks.
#include "libs/lstm/internal/engine.h"

#include <algorithm>
#include <numeric>

#include "libs/base/error.h"

namespace flowcast::lstm {
namespace {

// Each size costs memory and some ms to set up, so there are few; rows up to the next one are padding.
constexpr std::int64_t kBatchSizes[] = {1, 8, 32, 64, 128, 256};
constexpr std::int64_t kLargestBatch = 256;

std::int64_t PaddedSize(std::int64_t rows) {
  return *std::find_if(std::begin(kBatchSizes), std::end(kBatchSizes),
                       [rows](std::int64_t size) { return size >= rows; });
}

}  // namespace

Engine::Engine(Weights weights) : weights_(std::move(weights)) {
  for (const Parameters& parameters : weights_.members)
    members_.push_back({Head(weights_.shape, parameters), {}});
}

void Engine::CheckRows(std::span<const float> inputs, std::span<const float> context) const {
  const std::size_t row = shape().input_size();
  if (inputs.size() % row != 0) {
    throw base::ConfigError("inputs must be a multiple of length x features = " + std::to_string(row) +
                            " values, not " + std::to_string(inputs.size()));
  }
  const std::size_t needed = inputs.size() / row * shape().context_size();
  if (context.size() != needed) {
    throw base::ConfigError("context: " + std::to_string(needed) + " values needed, " +
                            std::to_string(context.size()) + " given");
  }
}

std::vector<float> Engine::Predict(std::span<const float> inputs, std::span<const float> context) {
  CheckRows(inputs, context);
  const auto count = static_cast<std::int64_t>(inputs.size() / shape().input_size());
  std::vector<float> answers(static_cast<std::size_t>(count) * shape().answer_size());
  std::vector<std::int64_t> positions;
  for (std::int64_t begin = 0; begin < count; begin += kLargestBatch) {
    const std::int64_t rows = std::min(kLargestBatch, count - begin);
    positions.resize(static_cast<std::size_t>(PaddedSize(rows)));
    std::iota(positions.begin(), positions.end(), begin);
    std::fill(positions.begin() + rows, positions.end(), count);
    batch_.Fill(weights_.shape, inputs, context, positions);
    PredictChunk(rows, answers.data() + begin * static_cast<std::int64_t>(shape().answer_size()));
  }
  return answers;
}

void Engine::PredictChunk(std::int64_t rows, float* answers) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    auto found = members_[i].by_rows.find(batch_.rows);
    if (found == members_[i].by_rows.end()) {
      Recurrence recurrence(weights_.shape, weights_.members[i], batch_.rows);
      found = members_[i].by_rows.emplace(batch_.rows, std::move(recurrence)).first;
    }
    members_[i].head.Add(batch_, found->second.Run(batch_.steps.data()), rows, answers);
  }
  if (members_.size() == 1) return;
  const auto share = 1 / static_cast<float>(members_.size());
  const auto count = rows * static_cast<std::int64_t>(shape().answer_size());
  std::for_each(answers, answers + count, [share](float& answer) { answer *= share; });
}

}  // namespace flowcast::lstm
