// One LSTM layer on torch tensors.
#include "libs/lstm/internal/layer.h"

#include "libs/lstm/internal/cell.h"

namespace flowcast::lstm {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct Trace {
  torch::Tensor gates;   // [length][count][4 x hidden], activated
  torch::Tensor cells;   // [length][count][hidden]
  torch::Tensor hidden;  // the same
};

// Where step `t` of a contiguous [length][count][width] begins.
float* Step(const torch::Tensor& tensor, std::int64_t t) {
  return tensor.data_ptr<float>() + t * tensor.size(1) * tensor.size(2);
}

torch::Tensor Flat(const torch::Tensor& tensor) { return tensor.reshape({-1, tensor.size(2)}); }

Trace Forward(const torch::Tensor& inputs, const LayerWeights& weights) {
  const std::int64_t length = inputs.size(0);
  const std::int64_t count = inputs.size(1);
  const std::int64_t size = weights.hidden.size(1);
  const torch::Tensor bias = weights.input_bias + weights.hidden_bias;
  Trace trace{torch::addmm(bias, Flat(inputs), weights.input.t()).view({length, count, 4 * size}),
              torch::empty({length, count, size}), torch::empty({length, count, size})};
  // A product with the transposed copy is quicker once enough rows pay for copying.
  const torch::Tensor transposed = count < 16 ? weights.hidden.t() : weights.hidden.t().contiguous();
  for (std::int64_t t = 0; t < length; ++t) {
    if (t > 0) trace.gates.select(0, t).addmm_(trace.hidden.select(0, t - 1), transposed);
    CellForward(Step(trace.gates, t), t > 0 ? Step(trace.cells, t - 1) : nullptr, Step(trace.cells, t),
                Step(trace.hidden, t), count, size);
  }
  return trace;
}

// Backpropagation through time; turns the activated gates into the gradients of their sums.
void Backward(const Trace& trace, const torch::Tensor& weight, const torch::Tensor& gradient) {
  const std::int64_t count = trace.cells.size(1);
  const std::int64_t size = trace.cells.size(2);
  torch::Tensor cell_gradient = torch::zeros({count, size});
  torch::Tensor hidden_gradient;
  for (std::int64_t t = trace.cells.size(0); t-- > 0;) {
    hidden_gradient = hidden_gradient.defined()
                          ? torch::addmm(gradient.select(0, t), trace.gates.select(0, t + 1), weight)
                          : gradient.select(0, t).contiguous();
    CellBackward(Step(trace.gates, t), t > 0 ? Step(trace.cells, t - 1) : nullptr, Step(trace.cells, t),
                 hidden_gradient.data_ptr<float>(), cell_gradient.data_ptr<float>(), count, size);
  }
}

class Layer : public torch::autograd::Function<Layer> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& inputs,
                               const torch::Tensor& input, const torch::Tensor& hidden,
                               const torch::Tensor& input_bias, const torch::Tensor& hidden_bias) {
    const Trace trace = Forward(inputs, {input, hidden, input_bias, hidden_bias});
    context->save_for_backward({inputs, input, hidden, trace.hidden});
    // Neither input nor output: torch wants them out of save_for_backward.
    context->saved_data["gates"] = trace.gates;
    context->saved_data["cells"] = trace.cells;
    return trace.hidden;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const tensor_list saved = context->get_saved_variables();
    const torch::Tensor& inputs = saved[0];
    const Trace trace{context->saved_data["gates"].toTensor(), context->saved_data["cells"].toTensor(),
                      saved[3]};
    Backward(trace, saved[2], gradients[0]);
    const torch::Tensor sums = Flat(trace.gates);
    const std::int64_t later = inputs.size(0) - 1;
    const torch::Tensor bias = sums.sum(0);
    return {context->needs_input_grad(0) ? torch::mm(sums, saved[1]).view(inputs.sizes()) : torch::Tensor(),
            torch::mm(sums.t(), Flat(inputs)),
            torch::mm(Flat(trace.gates.narrow(0, 1, later)).t(), Flat(trace.hidden.narrow(0, 0, later))),
            bias, bias.clone()};
  }
};

}  // namespace

torch::Tensor RunLayer(const torch::Tensor& inputs, const LayerWeights& weights) {
  if (!torch::GradMode::is_enabled()) return Forward(inputs, weights).hidden;
  return Layer::apply(inputs, weights.input, weights.hidden, weights.input_bias, weights.hidden_bias);
}

}  // namespace flowcast::lstm
