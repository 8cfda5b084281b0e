// The network as torch modules.
#include "libs/lstm/internal/module.h"

#include <cstring>

#include "libs/lstm/internal/layer.h"

namespace flowcast::lstm {

Network::Impl::Impl(const NetworkShape& network_shape) : shape(network_shape) {
  for (const ParameterLayout& layout : LayoutOf(shape)) {
    parameters.push_back(torch::zeros(layout.dimensions).set_requires_grad(true));
  }
}

torch::Tensor Network::Impl::Forward(const torch::Tensor& inputs, bool training) const {
  torch::Tensor steps = inputs.transpose(0, 1).contiguous();
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape.layers); ++layer) {
    if (layer > 0 && training && shape.dropout > 0) steps = torch::dropout(steps, shape.dropout, true);
    const torch::Tensor* own = &parameters[4 * layer];
    steps = RunLayer(steps, {own[0], own[1], own[2], own[3]});
  }
  const torch::Tensor& weight = parameters[parameters.size() - 2];
  const torch::Tensor& bias = parameters.back();
  const torch::Tensor last = inputs.select(1, shape.length - 1).select(1, shape.skip_feature);
  return last + torch::linear(steps.select(0, shape.length - 1), weight, bias).squeeze(1);
}

torch::Tensor Network::Impl::ForwardAll(const torch::Tensor& inputs) const {
  const torch::InferenceMode guard;
  std::vector<torch::Tensor> outputs;
  for (std::int64_t begin = 0; begin < inputs.size(0); begin += kPredictBatch) {
    const std::int64_t rows = std::min(kPredictBatch, inputs.size(0) - begin);
    outputs.push_back(Forward(inputs.narrow(0, begin, rows), /*training=*/false));
  }
  return torch::cat(outputs);
}

Weights Network::Impl::Copy() const {
  Weights weights{shape, {}};
  for (const torch::Tensor& parameter : parameters) {
    const float* data = parameter.data_ptr<float>();
    weights.values.emplace_back(data, data + parameter.numel());
  }
  return weights;
}

void Network::Impl::Assign(const Weights& weights) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::memcpy(parameters[i].data_ptr<float>(), weights.values[i].data(),
                weights.values[i].size() * sizeof(float));
  }
}

torch::Tensor ViewOf(std::span<const float> inputs, const NetworkShape& shape) {
  const auto row = shape.length * shape.features;
  // torch has no view of constant memory; nothing here writes to it.
  return torch::from_blob(const_cast<float*>(inputs.data()),
                          {static_cast<std::int64_t>(inputs.size()) / row, shape.length, shape.features});
}

}  // namespace flowcast::lstm
