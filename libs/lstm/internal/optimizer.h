// Gradient descent over a network's parameters.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {

/// What an optimizer remembers: running means of gradients and of their squares, and how many steps it took.
struct Moments {
  Parameters first;
  Parameters second;
  std::uint64_t steps = 0;
};

/// Clips the gradient's norm and takes one step of SGD (momentum 0.9), Adam (Kingma & Ba 2015) or
/// AdamW (Loshchilov & Hutter 2019; decay 0.01). One pass over each parameter instead of torch's
/// dozen small operations, which cost more than the arithmetic at this size.
class GradientDescent {
 public:
  /// `parameters` share their memory with the network's.
  GradientDescent(std::vector<torch::Tensor> parameters, const TrainingOptions& options);

  /// Uses the parameters' gradients and sets them to zero. A gradient that is not finite is skipped.
  void Step();

  const Moments& moments() const { return moments_; }
  void Assign(Moments moments) { moments_ = std::move(moments); }

 private:
  float ClipFactor() const;
  void Update(std::size_t position, float clip);

  std::vector<torch::Tensor> parameters_;
  Moments moments_;
  TrainingOptions options_;
};

}  // namespace flowcast::lstm
