// What a network consists of, and what it begins with.
#include <cmath>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/lstm/internal/quantiles.h"
#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {
namespace {

constexpr std::int64_t kMaxFeatures = 4096;
constexpr std::int64_t kMaxLength = 65536;
constexpr std::int64_t kMaxHidden = 4096;
constexpr std::int64_t kMaxLayers = 16;
constexpr std::int64_t kMaxAnswers = 4096;

bool IsDrawn(const std::string& name) {
  return name.starts_with("lstm.") || name.starts_with("head.hidden.");
}

}  // namespace

NetworkShape ShapeOf(const training::Shape& io, const LearnerOptions& options) {
  return {.io = io,
          .hidden = options.hidden,
          .layers = options.layers,
          .head_size = options.head_size,
          .attention = options.attention,
          .dropout = options.dropout};
}

std::int64_t ParameterLayout::count() const {
  return std::accumulate(dimensions.begin(), dimensions.end(), std::int64_t{1}, std::multiplies<>());
}

Positions::Positions(const NetworkShape& shape)
    : attention(static_cast<std::size_t>(4 * shape.layers)),
      skip(attention + (shape.attention ? 1 : 0)),
      head_hidden(skip + 2),
      head(head_hidden + (shape.head_size > 0 ? 2 : 0)) {}

void CheckShape(const NetworkShape& shape) {
  const auto check = [](std::string_view name, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value >= low && value <= high) return;
    throw base::ConfigError("the network's " + std::string(name) + " must be between " + std::to_string(low) +
                            " and " + std::to_string(high) + ", not " + std::to_string(value));
  };
  check("features", shape.io.features, 1, kMaxFeatures);
  check("length", shape.io.length, 1, kMaxLength);
  check("context columns", shape.io.context, 0, kMaxFeatures);
  check("hidden units", shape.hidden, 1, kMaxHidden);
  check("layers", shape.layers, 1, kMaxLayers);
  check("head's hidden units", shape.head_size, 0, kMaxHidden);
  training::CheckShape(shape.io);
  check("number of answers", static_cast<std::int64_t>(shape.io.answer_size()), 1, kMaxAnswers);
  if (!(shape.dropout >= 0 && shape.dropout < 1)) {
    throw base::ConfigError("the network's dropout must be at least 0 and below 1");
  }
}

std::vector<ParameterLayout> LayoutOf(const NetworkShape& shape) {
  std::vector<ParameterLayout> layout;
  const std::int64_t gates = 4 * shape.hidden;
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string suffix = "_l" + std::to_string(layer);
    layout.push_back({"lstm.weight_ih" + suffix, {gates, layer == 0 ? shape.step_columns() : shape.hidden}});
    layout.push_back({"lstm.weight_hh" + suffix, {gates, shape.hidden}});
    layout.push_back({"lstm.bias_ih" + suffix, {gates}});
    layout.push_back({"lstm.bias_hh" + suffix, {gates}});
  }
  if (shape.attention) layout.push_back({"attention.weight", {shape.hidden, shape.hidden}});
  const auto medians = static_cast<std::int64_t>(shape.io.target_size());
  layout.push_back({"skip.weight", {medians, shape.flat_columns()}});
  layout.push_back({"skip.bias", {medians}});
  std::int64_t inputs = shape.state_columns() + shape.flat_columns();
  if (shape.head_size > 0) {
    layout.push_back({"head.hidden.weight", {shape.head_size, inputs}});
    layout.push_back({"head.hidden.bias", {shape.head_size}});
    inputs = shape.head_size;
  }
  const auto answers = static_cast<std::int64_t>(shape.io.answer_size());
  layout.push_back({"head.weight", {answers, inputs}});
  layout.push_back({"head.bias", {answers}});
  return layout;
}

std::int64_t ParameterCount(const NetworkShape& shape) {
  const std::vector<ParameterLayout> layout = LayoutOf(shape);
  return std::accumulate(layout.begin(), layout.end(), std::int64_t{0},
                         [](std::int64_t sum, const ParameterLayout& one) { return sum + one.count(); });
}

Parameters DrawParameters(const NetworkShape& shape, std::uint64_t seed, const std::vector<float>& gaps) {
  base::Random random(seed);
  Parameters parameters;
  for (const ParameterLayout& layout : LayoutOf(shape)) {
    std::vector<float>& values = parameters.emplace_back(static_cast<std::size_t>(layout.count()));
    if (!IsDrawn(layout.name)) continue;
    const std::int64_t inputs =
        layout.name.starts_with("lstm.") ? shape.hidden : shape.state_columns() + shape.flat_columns();
    const double bound = 1 / std::sqrt(static_cast<double>(inputs));
    for (float& value : values) value = static_cast<float>(bound * (2 * random.Uniform() - 1));
  }
  std::vector<float>& bias = parameters.back();
  const std::size_t levels = shape.io.levels.size();
  for (std::size_t i = 0; i < bias.size(); ++i) {
    bias[i] = i % levels == shape.io.median() ? 0 : SoftplusInverse(gaps[i]);
  }
  return parameters;
}

}  // namespace flowcast::lstm
