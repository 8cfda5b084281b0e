// The seasonal expert: three inputs, learned by recursive least squares.
#include "libs/forecast/seasonal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::forecast {
namespace {

constexpr std::size_t kMostHorizons = 64;

float Bounded(double value, float largest) {
  return std::clamp(static_cast<float>(value), -largest, largest);
}

}  // namespace

Seasonal::Seasonal(const std::vector<int>& horizons, Autoregression& autoregression)
    : autoregression_(autoregression) {
  for (const int windows : horizons) {
    Horizon horizon{windows, std::vector<Inputs>(static_cast<std::size_t>(windows), {kUnknown, 0, 0})};
    for (std::size_t i = 0; i < kInputs; ++i) horizon.covariance[i * kInputs + i] = kStart;
    horizons_.push_back(std::move(horizon));
  }
}

void Seasonal::Horizon::Learn(const Inputs& inputs, float step) {
  Inputs times{};
  for (std::size_t row = 0; row < kInputs; ++row) {
    for (std::size_t i = 0; i < kInputs; ++i) times[row] += covariance[row * kInputs + i] * inputs[i];
  }
  const float noise = std::inner_product(inputs.begin(), inputs.end(), times.begin(), 1.0F);
  const float expected = std::inner_product(inputs.begin(), inputs.end(), weights.begin(), 0.0F);
  const float error = std::clamp(step - expected, -kLargestError, kLargestError);
  for (std::size_t row = 0; row < kInputs; ++row) {
    weights[row] += times[row] / noise * error;
    for (std::size_t i = 0; i < kInputs; ++i) covariance[row * kInputs + i] -= times[row] * times[i] / noise;
    float& variance = covariance[row * kInputs + row];
    variance = std::max(variance, 0.0F) + (variance < kStart ? kWalk : 0);
  }
}

void Seasonal::Observe(const History& history) {
  ++step_;
  for (Horizon& horizon : horizons_) {
    Inputs& inputs = horizon.waiting[step_ % horizon.waiting.size()];
    const auto ago = static_cast<std::size_t>(horizon.windows);
    if (!std::isnan(inputs[0]) && history.size() > ago && history.Scale(ago) > 0) {
      horizon.Learn(inputs, (history.Value(0) - history.Value(ago)) / history.Scale(ago));
    }
    inputs[0] = kUnknown;
  }
}

void Seasonal::Forecast(const History& history, const Season& season, std::span<float> values) {
  std::fill(values.begin(), values.end(), kUnknown);
  const float scale = history.Scale(0);
  if (season.ahead.size() != values.size() || !std::isfinite(season.now) || !(scale > 0)) return;
  const double now = static_cast<double>(history.Value(0));
  std::array<float, kMostHorizons> others{};
  const std::size_t count = std::min(values.size(), kMostHorizons);
  autoregression_.Forecast(history, season, std::span(others).first(count));
  for (std::size_t h = 0; h < count; ++h) {
    if (!std::isfinite(season.ahead[h])) continue;
    Horizon& horizon = horizons_[h];
    const double unit = static_cast<double>(scale);
    const Inputs inputs{Bounded((season.ahead[h] - season.now) / unit, kLargestInput),
                        Bounded((season.now - now) / unit, kLargestInput),
                        Bounded((static_cast<double>(others[h]) - now) / unit, kLargestInput)};
    horizon.waiting[step_ % horizon.waiting.size()] = inputs;
    const float step = std::inner_product(inputs.begin(), inputs.end(), horizon.weights.begin(), 0.0F);
    values[h] = history.Value(0) + std::clamp(step, -kLargestInput, kLargestInput) * scale;
  }
}

void Seasonal::Interrupt() {
  for (Horizon& horizon : horizons_) {
    for (Inputs& inputs : horizon.waiting) inputs[0] = kUnknown;
  }
}

void StepProfile::Learn(std::size_t step, double value) {
  Step& at = steps_[step % steps_.size()];
  at.seen += 1;
  if (std::isnan(at.usual)) at.usual = static_cast<float>(value);
  const double weight = std::max(kRate, 1.0 / static_cast<double>(at.seen));
  at.usual += static_cast<float>((value - static_cast<double>(at.usual)) * weight);
}

double StepProfile::At(std::size_t step) const {
  return static_cast<double>(steps_[step % steps_.size()].usual);
}

}  // namespace flowcast::forecast
