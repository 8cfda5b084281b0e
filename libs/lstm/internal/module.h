// A network as torch tensors, for training.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "libs/lstm/internal/batch.h"

namespace flowcast::lstm {

/// What a network says before quantiles are made of it (internal/quantiles.h).
struct Outputs {
  torch::Tensor raw;      // [rows][targets x horizons][levels]
  torch::Tensor centres;  // [rows][targets x horizons]
};

/// Draws the masks of dropout, on its own so that networks can learn side by side.
using DropoutMask = std::function<torch::Tensor(const torch::Tensor& like)>;

class Module {
 public:
  Module(const NetworkShape& shape, const Parameters& parameters);

  /// Differentiable outside of inference mode. A null `dropout` is none. `batch` must outlive the results.
  Outputs Forward(const Batch& batch, const DropoutMask& dropout) const;

  Parameters Copy() const;
  void Assign(const Parameters& parameters);
  std::vector<torch::Tensor>& parameters() { return parameters_; }

 private:
  torch::Tensor Attend(const torch::Tensor& steps) const;
  torch::Tensor Linear(const torch::Tensor& inputs, std::size_t position) const;

  NetworkShape shape_;
  Positions at_;
  std::vector<torch::Tensor> parameters_;  // in the order of LayoutOf
};

/// Threads within one operation, for torch and its BLAS; the caller's thread must be the one that computes.
void UseThreads(int threads);

/// A tensor over the caller's memory, which must outlive it and is not written to.
torch::Tensor View(const std::vector<float>& values, at::IntArrayRef dimensions);

}  // namespace flowcast::lstm
