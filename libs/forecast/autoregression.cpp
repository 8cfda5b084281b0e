// Recursive least squares with one covariance for all horizons.
#include "libs/forecast/autoregression.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::forecast {

Autoregression::Autoregression(const std::vector<int>& horizons)
    : horizons_(horizons), weights_(std::make_unique<Inputs[]>(horizons.size())) {
  for (std::size_t i = 0; i < kLags; ++i) Covariance(i, i) = kStart;
}

/// False where there is too little before that value, or nothing ever moved.
bool Autoregression::InputsAt(const History& history, std::size_t back, Inputs& inputs) {
  if (history.size() < back + kLags + 1) return false;
  const float scale = history.Scale(back);
  if (!(scale > 0)) return false;
  const float now = history.Value(back);
  for (std::size_t i = 0; i < kLags; ++i) {
    inputs[i] = std::clamp((history.Value(back + i + 1) - now) / scale, -kLargestInput, kLargestInput);
  }
  return true;
}

Autoregression::Inputs Autoregression::TimesCovariance(const Inputs& inputs) const {
  Inputs product{};
  for (std::size_t row = 0; row < kLags; ++row) {
    for (std::size_t column = 0; column < kLags; ++column) {
      product[row] += covariance_[Packed(row, column)] * inputs[column];
    }
  }
  return product;
}

float Autoregression::Noise(const Inputs& inputs, const Inputs& times) {
  float largest = 0;
  for (const float input : inputs) largest = std::max(largest, std::abs(input));
  return std::inner_product(inputs.begin(), inputs.end(), times.begin(), 1 + kNoise * largest * largest);
}

Autoregression::Inputs Autoregression::Gain(const Inputs& inputs) const {
  Inputs gain = TimesCovariance(inputs);
  const float noise = Noise(inputs, gain);
  for (float& value : gain) value /= noise;
  return gain;
}

void Autoregression::Narrow(const Inputs& inputs) {
  const Inputs times = TimesCovariance(inputs);
  const float noise = Noise(inputs, times);
  for (std::size_t row = 0; row < kLags; ++row) {
    for (std::size_t column = 0; column <= row; ++column) {
      Covariance(row, column) -= times[row] * times[column] / noise;
    }
    float& variance = Covariance(row, row);
    variance = std::max(variance, 0.0F) + (variance < kStart ? kWalk : 0);
  }
}

void Autoregression::Observe(const History& history) {
  Inputs inputs;
  for (std::size_t h = 0; h < horizons_.size(); ++h) {
    const auto ago = static_cast<std::size_t>(horizons_[h]);
    if (!InputsAt(history, ago, inputs)) continue;
    const float step = (history.Value(0) - history.Value(ago)) / history.Scale(ago);
    const float expected = std::inner_product(inputs.begin(), inputs.end(), weights_[h].begin(), 0.0F);
    const float error = std::clamp(step - expected, -kLargestError, kLargestError);
    const Inputs gain = Gain(inputs);
    for (std::size_t i = 0; i < kLags; ++i) weights_[h][i] += gain[i] * error;
  }
  if (InputsAt(history, 1, inputs)) Narrow(inputs);
}

void Autoregression::Forecast(const History& history, const Season&, std::span<float> values) {
  Inputs inputs;
  const bool known = InputsAt(history, 0, inputs);
  for (std::size_t h = 0; h < values.size(); ++h) {
    values[h] = history.Value(0);
    if (!known) continue;
    const float step = std::inner_product(inputs.begin(), inputs.end(), weights_[h].begin(), 0.0F);
    values[h] += std::clamp(step, -kLargestStep, kLargestStep) * history.Scale(0);
  }
}

void Autoregression::Visit(StateVisitor& state) {
  state(weights());
  state(covariance_);
}

}  // namespace flowcast::forecast
