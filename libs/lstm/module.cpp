// The network's forward pass on torch tensors.
#include "libs/lstm/internal/module.h"

#include <cmath>
#include <cstring>

#include "libs/lstm/internal/layer.h"

namespace flowcast::lstm {

Module::Module(const NetworkShape& shape, const Parameters& parameters) : shape_(shape), at_(shape) {
  for (const ParameterLayout& layout : LayoutOf(shape)) {
    parameters_.push_back(torch::zeros(layout.dimensions).set_requires_grad(true));
  }
  Assign(parameters);
}

torch::Tensor Module::Linear(const torch::Tensor& inputs, std::size_t position) const {
  return torch::linear(inputs, parameters_[position], parameters_[position + 1]);
}

torch::Tensor Module::Attend(const torch::Tensor& steps) const {
  const torch::Tensor state = steps.select(0, shape_.io.length - 1);
  const torch::Tensor query = torch::linear(state, parameters_[at_.attention]);
  const torch::Tensor scores = (steps * query).sum(2) / std::sqrt(static_cast<double>(shape_.hidden));
  const torch::Tensor mean = (steps * torch::softmax(scores, 0).unsqueeze(2)).sum(0);
  return torch::cat({state, mean}, 1);
}

Outputs Module::Forward(const Batch& batch, const DropoutMask& dropout) const {
  torch::Tensor steps = View(batch.steps, {shape_.io.length, batch.rows, shape_.step_columns()});
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape_.layers); ++layer) {
    if (layer > 0 && dropout && shape_.dropout > 0) steps = steps * dropout(steps);
    const torch::Tensor* own = &parameters_[4 * layer];
    steps = RunLayer(steps, {own[0], own[1], own[2], own[3]});
  }
  const torch::Tensor flat = View(batch.flat, {batch.rows, shape_.flat_columns()});
  const torch::Tensor state = shape_.attention ? Attend(steps) : steps.select(0, shape_.io.length - 1);
  torch::Tensor features = torch::cat({state, flat}, 1);
  if (shape_.head_size > 0) features = torch::relu(Linear(features, at_.head_hidden));
  const auto horizons = static_cast<std::int64_t>(shape_.io.horizons.size());
  const torch::Tensor last = View(batch.last, {batch.rows, shape_.targets(), 1})
                                 .expand({batch.rows, shape_.targets(), horizons})
                                 .reshape({batch.rows, -1});
  return {Linear(features, at_.head)
              .view({batch.rows, shape_.targets() * horizons,
                     static_cast<std::int64_t>(shape_.io.levels.size())}),
          last + Linear(flat, at_.skip)};
}

Parameters Module::Copy() const {
  Parameters copy;
  for (const torch::Tensor& parameter : parameters_) {
    const float* const data = parameter.data_ptr<float>();
    copy.emplace_back(data, data + parameter.numel());
  }
  return copy;
}

void Module::Assign(const Parameters& parameters) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    std::memcpy(parameters_[i].data_ptr<float>(), parameters[i].data(), parameters[i].size() * sizeof(float));
  }
}

torch::Tensor View(const std::vector<float>& values, at::IntArrayRef dimensions) {
  // torch has no view of constant memory.
  return torch::from_blob(const_cast<float*>(values.data()), dimensions);
}

}  // namespace flowcast::lstm
