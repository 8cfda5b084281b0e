// Gradient descent over a network's parameters.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "libs/lstm/network.h"

namespace flowcast::lstm {

/// Clips the gradient's norm and takes one step of SGD (momentum 0.9), Adam (Kingma & Ba 2015) or
/// AdamW (Loshchilov & Hutter 2019; decay 0.01). One pass over each parameter instead of torch's
/// dozen small operations, which cost more than the arithmetic at this size.
class GradientDescent {
 public:
  GradientDescent(std::vector<torch::Tensor> parameters, const TrainingOptions& options);

  /// Uses the parameters' gradients and sets them to zero. A gradient that is not finite is skipped.
  void Step();

 private:
  struct Moments {
    std::vector<float> first;
    std::vector<float> second;
  };

  float ClipFactor() const;
  void Update(torch::Tensor& parameter, Moments& moments, float clip);

  std::vector<torch::Tensor> parameters_;
  std::vector<Moments> moments_;
  TrainingOptions options_;
  int steps_ = 0;
};

}  // namespace flowcast::lstm
