// Quantiles and the pinball loss.
#include "libs/lstm/internal/quantiles.h"

#include <algorithm>
#include <cmath>

namespace flowcast::lstm {
namespace {

float Sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

float Softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

float SoftplusInverse(float y) {
  constexpr float kSmallest = 1e-4F;
  constexpr float kLinear = 30;  // beyond, softplus is the identity in single precision
  return y > kLinear ? y : std::log(std::expm1(std::max(y, kSmallest)));
}

void Spread(std::span<const float> raw, std::size_t median, float centre, float* quantiles) {
  quantiles[median] = centre + raw[median];
  for (std::size_t i = median + 1; i < raw.size(); ++i) quantiles[i] = quantiles[i - 1] + Softplus(raw[i]);
  for (std::size_t i = median; i-- > 0;) quantiles[i] = quantiles[i + 1] - Softplus(raw[i]);
}

double PinballLoss(std::span<const float> raw, const std::vector<double>& levels, std::size_t median,
                   float centre, float truth, float* gradient) {
  Spread(raw, median, centre, gradient);
  const double share = 2 / static_cast<double>(levels.size());
  double loss = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double error = static_cast<double>(truth) - gradient[i];
    loss += share * std::max(levels[i] * error, (levels[i] - 1) * error);
    gradient[i] = static_cast<float>(share * ((error < 0 ? 1 : 0) - levels[i]));
  }
  // From the outermost inwards: a raw output moves its own quantile and those beyond.
  float beyond = 0;
  for (std::size_t i = levels.size(); --i > median;) {
    beyond += gradient[i];
    gradient[i] = beyond * Sigmoid(raw[i]);
  }
  gradient[median] += beyond;
  beyond = 0;
  for (std::size_t i = 0; i < median; ++i) {
    beyond += gradient[i];
    gradient[i] = -beyond * Sigmoid(raw[i]);
  }
  gradient[median] += beyond;
  return loss;
}

}  // namespace flowcast::lstm
