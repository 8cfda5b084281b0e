// The network as torch modules.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "libs/lstm/internal/weights.h"
#include "libs/lstm/network.h"

namespace flowcast::lstm {

struct Network::Impl {
  explicit Impl(const NetworkShape& network_shape);

  /// [count][length][features] -> [count].
  torch::Tensor Forward(const torch::Tensor& inputs, bool training) const;
  /// The same in inference mode, in batches of kPredictBatch rows.
  torch::Tensor ForwardAll(const torch::Tensor& inputs) const;
  Weights Copy() const;
  void Assign(const Weights& weights);

  NetworkShape shape;
  std::vector<torch::Tensor> parameters;  // in the order of LayoutOf(shape)
};

inline constexpr std::int64_t kPredictBatch = 256;

/// Threads within one operation, for torch and its BLAS.
void UseThreads(int threads);

/// A tensor [count][length][features] over the caller's memory, which must outlive it.
torch::Tensor ViewOf(std::span<const float> inputs, const NetworkShape& shape);

}  // namespace flowcast::lstm
