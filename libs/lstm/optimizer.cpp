// Gradient descent over a network's parameters.
#include "libs/lstm/internal/optimizer.h"

#include <cmath>
#include <limits>

#include "libs/lstm/internal/clones.h"

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

FLOWCAST_CLONES
double SquaredNorm(const float* values, std::size_t count) {
  constexpr std::size_t kLanes = 32;
  float lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane] * values[i + lane];
  }
  double sum = 0;
  for (const float lane : lanes) sum += lane;
  for (; i < count; ++i) sum += static_cast<double>(values[i]) * values[i];
  return sum;
}

}  // namespace

GradientDescent::GradientDescent(std::vector<torch::Tensor> parameters, const TrainingOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const torch::Tensor& parameter : parameters_) {
    moments_.first.emplace_back(static_cast<std::size_t>(parameter.numel()));
    moments_.second.emplace_back(static_cast<std::size_t>(parameter.numel()));
  }
}

void GradientDescent::Step() {
  for (torch::Tensor& parameter : parameters_) {
    if (!parameter.grad().defined()) parameter.mutable_grad() = torch::zeros_like(parameter);
    if (!parameter.grad().is_contiguous()) parameter.mutable_grad() = parameter.grad().contiguous();
  }
  const float clip = ClipFactor();
  if (!std::isfinite(clip)) {
    for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().zero_();
    return;
  }
  ++moments_.steps;
  for (std::size_t i = 0; i < parameters_.size(); ++i) Update(i, clip);
}

float GradientDescent::ClipFactor() const {
  double sum = 0;
  for (const torch::Tensor& parameter : parameters_) {
    sum += SquaredNorm(parameter.grad().data_ptr<float>(), static_cast<std::size_t>(parameter.numel()));
  }
  if (!std::isfinite(sum)) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(std::min(1.0, options_.gradient_clip / (std::sqrt(sum) + 1e-6)));
}

void GradientDescent::Update(std::size_t position, float clip) {
  float* const value = parameters_[position].data_ptr<float>();
  float* const gradient = parameters_[position].mutable_grad().data_ptr<float>();
  float* const first = moments_.first[position].data();
  const std::size_t count = moments_.first[position].size();
  if (options_.optimizer == Optimizer::kSgd) {
    SgdStep(value, gradient, first, count, clip, static_cast<float>(options_.learning_rate));
    return;
  }
  const double decay = options_.optimizer == Optimizer::kAdamW ? kDecay * options_.learning_rate : 0;
  const auto steps = static_cast<double>(moments_.steps);
  const AdamStep step{clip, static_cast<float>(1 - decay),
                      static_cast<float>(options_.learning_rate / (1 - std::pow(kBeta1, steps))),
                      static_cast<float>(1 / std::sqrt(1 - std::pow(kBeta2, steps)))};
  step.Apply(value, gradient, first, moments_.second[position].data(), count);
}

}  // namespace flowcast::lstm
