// Batches through the networks.
#include "libs/lstm/internal/engine.h"

#include <algorithm>
#include <numeric>

#include "libs/base/error.h"

namespace flowcast::lstm {
namespace {

constexpr std::int64_t kLargestBatch = 256;  // bounds what is held at a time

}  // namespace

Engine::Engine(Weights weights) : weights_(std::move(weights)) {
  for (const Parameters& parameters : weights_.members)
    members_.push_back({Recurrence(weights_.shape, parameters), Head(weights_.shape, parameters)});
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
    positions.resize(static_cast<std::size_t>(rows));
    std::iota(positions.begin(), positions.end(), begin);
    batch_.Fill(weights_.shape, inputs, context, positions);
    PredictBatch(answers.data() + begin * static_cast<std::int64_t>(shape().answer_size()));
  }
  return answers;
}

void Engine::PredictBatch(float* answers) {
  for (Member& member : members_)
    member.head.Add(batch_, member.recurrence.Run(batch_.steps.data(), batch_.rows), answers);
  if (members_.size() == 1) return;
  const auto share = 1 / static_cast<float>(members_.size());
  const auto count = batch_.rows * static_cast<std::int64_t>(shape().answer_size());
  std::for_each(answers, answers + count, [share](float& answer) { answer *= share; });
}

}  // namespace flowcast::lstm
