// One LSTM layer on torch tensors: torch's matrix products around the cell of cell.h.
#pragma once

#include <torch/torch.h>

namespace flowcast::lstm {

struct LayerWeights {
  torch::Tensor input;   // [4 x hidden][inputs]
  torch::Tensor hidden;  // [4 x hidden][hidden]
  torch::Tensor input_bias;
  torch::Tensor hidden_bias;
};

/// Inputs [length][count][inputs] -> hidden values [length][count][hidden]. Differentiable, once.
torch::Tensor RunLayer(const torch::Tensor& inputs, const LayerWeights& weights);

}  // namespace flowcast::lstm
