// Gradient descent over a network's parameters.
#include "libs/lstm/internal/optimizer.h"

#include <cmath>

namespace flowcast::lstm {
namespace {

constexpr float kMomentum = 0.9F;
constexpr float kBeta1 = 0.9F;
constexpr float kBeta2 = 0.999F;
constexpr float kEpsilon = 1e-8F;
constexpr double kDecay = 0.01;

void SgdStep(float* __restrict value, float* __restrict gradient, float* __restrict velocity,
             std::size_t count, float clip, float rate) {
  for (std::size_t i = 0; i < count; ++i) {
    velocity[i] = kMomentum * velocity[i] + clip * gradient[i];
    value[i] -= rate * velocity[i];
    gradient[i] = 0;
  }
}

struct AdamStep {
  float clip;
  float keep;  // what AdamW's decay leaves of a weight
  float rate;  // bias correction included
  float second_scale;

  void Apply(float* __restrict value, float* __restrict gradient, float* __restrict first,
             float* __restrict second, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      const float g = clip * gradient[i];
      first[i] = kBeta1 * first[i] + (1 - kBeta1) * g;
      second[i] = kBeta2 * second[i] + (1 - kBeta2) * g * g;
      value[i] = keep * value[i] - rate * first[i] / (std::sqrt(second[i]) * second_scale + kEpsilon);
      gradient[i] = 0;
    }
  }
};

}  // namespace

GradientDescent::GradientDescent(std::vector<torch::Tensor> parameters, const TrainingOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const torch::Tensor& parameter : parameters_) {
    const auto count = static_cast<std::size_t>(parameter.numel());
    moments_.push_back({std::vector<float>(count), std::vector<float>(count)});
  }
}

void GradientDescent::Step() {
  const float clip = ClipFactor();
  if (!std::isfinite(clip)) {
    for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().zero_();
    return;
  }
  ++steps_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) Update(parameters_[i], moments_[i], clip);
}

float GradientDescent::ClipFactor() const {
  double sum = 0;
  for (const torch::Tensor& parameter : parameters_) {
    const double norm = parameter.grad().norm().item<double>();
    sum += norm * norm;
  }
  if (!std::isfinite(sum)) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(std::min(1.0, options_.gradient_clip / (std::sqrt(sum) + 1e-6)));
}

void GradientDescent::Update(torch::Tensor& parameter, Moments& moments, float clip) {
  parameter.mutable_grad() = parameter.grad().contiguous();
  float* const value = parameter.data_ptr<float>();
  float* const gradient = parameter.mutable_grad().data_ptr<float>();
  const std::size_t count = moments.first.size();
  if (options_.optimizer == Optimizer::kSgd) {
    SgdStep(value, gradient, moments.first.data(), count, clip, static_cast<float>(options_.learning_rate));
    return;
  }
  const double decay = options_.optimizer == Optimizer::kAdamW ? kDecay * options_.learning_rate : 0;
  const AdamStep step{clip, static_cast<float>(1 - decay),
                      static_cast<float>(options_.learning_rate / (1 - std::pow(kBeta1, steps_))),
                      static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, steps_)))};
  step.Apply(value, gradient, moments.first.data(), moments.second.data(), count);
}

}  // namespace flowcast::lstm
