// A network's life: fresh or loaded, saved, asked.
#include "libs/lstm/network.h"

#include <cmath>
#include <numeric>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/lstm/internal/module.h"
#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {
namespace {

// torch's own default for LSTMs: uniform within 1 / sqrt(hidden); the head (the last two) stays zero.
Weights DrawWeights(const NetworkShape& shape, std::uint64_t seed) {
  base::Random random(seed);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.hidden));
  const std::vector<ParameterLayout> layout = LayoutOf(shape);
  Weights weights{shape, {}};
  for (std::size_t i = 0; i < layout.size(); ++i) {
    std::vector<float>& values = weights.values.emplace_back(static_cast<std::size_t>(layout[i].count()));
    if (i + 2 >= layout.size()) continue;
    for (float& value : values) value = static_cast<float>(bound * (2 * random.Uniform() - 1));
  }
  return weights;
}

}  // namespace

Network::Network(const NetworkShape& shape, std::uint64_t seed) {
  CheckShape(shape);
  UseThreads(1);
  impl_ = std::make_unique<Impl>(shape);
  impl_->Assign(DrawWeights(shape, seed));
}

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::string Network::Save() const { return EncodeWeights(impl_->Copy()); }

Network Network::Load(std::string_view bytes) {
  const Weights weights = DecodeWeights(bytes);
  UseThreads(1);
  auto impl = std::make_unique<Impl>(weights.shape);
  impl->Assign(weights);
  return Network(std::move(impl));
}

std::vector<float> Network::Predict(std::span<const float> inputs) const {
  const auto row = static_cast<std::size_t>(shape().length * shape().features);
  if (inputs.size() % row != 0) {
    throw base::ConfigError("inputs must be a multiple of length x features = " + std::to_string(row) +
                            " values, not " + std::to_string(inputs.size()));
  }
  if (inputs.empty()) return {};
  const torch::Tensor outputs = impl_->ForwardAll(ViewOf(inputs, shape()));
  const float* data = outputs.data_ptr<float>();
  return {data, data + outputs.numel()};
}

const NetworkShape& Network::shape() const { return impl_->shape; }

std::int64_t Network::parameter_count() const {
  const std::vector<ParameterLayout> layout = LayoutOf(shape());
  return std::accumulate(layout.begin(), layout.end(), std::int64_t{0},
                         [](std::int64_t sum, const ParameterLayout& one) { return sum + one.count(); });
}

}  // namespace flowcast::lstm
