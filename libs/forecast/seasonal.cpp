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
    : windows_(horizons),
      horizons_(std::make_unique<Horizon[]>(horizons.size())),
      waiting_(std::make_unique<Waiting[]>(WindowsOfAll(horizons))),
      autoregression_(autoregression) {
  for (Horizon& horizon : this->horizons()) {
    for (std::size_t i = 0; i < kInputs; ++i) horizon.Covariance(i, i) = kStart;
  }
  std::fill_n(waiting_.get(), WindowsOfAll(horizons), Waiting{kUnknown, 0, 0});
}

std::span<Seasonal::Waiting> Seasonal::waiting() { return {waiting_.get(), WindowsOfAll(windows_)}; }

float& Seasonal::Horizon::Covariance(std::size_t row, std::size_t column) {
  return covariance[row >= column ? row * (row + 1) / 2 + column : column * (column + 1) / 2 + row];
}

void Seasonal::Horizon::Learn(const Inputs& inputs, float step) {
  Inputs times{};
  for (std::size_t row = 0; row < kInputs; ++row) {
    for (std::size_t i = 0; i < kInputs; ++i) times[row] += Covariance(row, i) * inputs[i];
  }
  const float noise = std::inner_product(inputs.begin(), inputs.end(), times.begin(), 1.0F);
  const float expected = std::inner_product(inputs.begin(), inputs.end(), weights.begin(), 0.0F);
  const float error = std::clamp(step - expected, -kLargestError, kLargestError);
  for (std::size_t row = 0; row < kInputs; ++row) {
    weights[row] += times[row] / noise * error;
    for (std::size_t i = 0; i <= row; ++i) Covariance(row, i) -= times[row] * times[i] / noise;
    float& variance = Covariance(row, row);
    variance = std::max(variance, 0.0F) + (variance < kStart ? kWalk : 0);
  }
}

Seasonal::Waiting& Seasonal::WaitingAt(std::size_t h) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < h; ++i) first += static_cast<std::size_t>(windows_[i]);
  return waiting_[first + step_ % static_cast<std::size_t>(windows_[h])];
}

void Seasonal::Observe(const History& history) {
  ++step_;
  for (std::size_t h = 0; h < windows_.size(); ++h) {
    Waiting& waiting = WaitingAt(h);
    const auto ago = static_cast<std::size_t>(windows_[h]);
    if (!std::isnan(waiting[0]) && history.size() > ago && history.Scale(ago) > 0) {
      const Inputs inputs{waiting[0], waiting[1], waiting[2]};
      horizons_[h].Learn(inputs, (history.Value(0) - history.Value(ago)) / history.Scale(ago));
    }
    waiting[0] = kUnknown;
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
    const double unit = static_cast<double>(scale);
    const Inputs inputs{Bounded((season.ahead[h] - season.now) / unit, kLargestInput),
                        Bounded((season.now - now) / unit, kLargestInput),
                        Bounded((static_cast<double>(others[h]) - now) / unit, kLargestInput)};
    WaitingAt(h) = {inputs[0], inputs[1], inputs[2]};
    const float step = std::inner_product(inputs.begin(), inputs.end(), horizons_[h].weights.begin(), 0.0F);
    values[h] = history.Value(0) + std::clamp(step, -kLargestInput, kLargestInput) * scale;
  }
}

void Seasonal::Interrupt() {
  for (Waiting& waiting : this->waiting()) waiting[0] = kUnknown;
}

void Seasonal::Visit(StateVisitor& state) {
  for (Horizon& horizon : horizons()) {
    state(horizon.weights);
    state(horizon.covariance);
  }
  state.Raw(waiting());
  state.Raw(step_);
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
