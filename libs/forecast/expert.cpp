// Simple forecasters of a series.
#include "libs/forecast/expert.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libs/forecast/autoregression.h"

namespace flowcast::forecast {

void Persistence::Forecast(const History& history, const Season&, std::span<float> values) {
  std::fill(values.begin(), values.end(), history.Value(0));
}

Ewma::Ewma(const std::vector<int>& horizons)
    : horizons_(horizons),
      past_(std::make_unique<Past[]>(static_cast<std::size_t>(horizons.back()) + 1)),
      errors_(std::make_unique<Levels[]>(horizons.size())) {}

void Ewma::Observe(const History& history) {
  const float value = history.Value(0);
  Past& newest = past()[++seen_ % past().size()];
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    levels_[i] = seen_ == 1 ? value : levels_[i] + kRates[i] * (value - levels_[i]);
    newest[i] = levels_[i] - value;
  }
  for (std::size_t h = 0; h < horizons_.size(); ++h) {
    const auto ago = static_cast<std::size_t>(horizons_[h]);
    if (seen_ <= ago) continue;
    const float moved = value - history.Value(ago);
    const auto& then = past()[(seen_ - ago) % past().size()];
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      errors_[h][i] += kForget * (std::abs(moved - then[i]) - errors_[h][i]);
    }
  }
}

void Ewma::Forecast(const History&, const Season&, std::span<float> values) {
  for (std::size_t h = 0; h < values.size(); ++h) {
    const auto best = std::min_element(errors_[h].begin(), errors_[h].end()) - errors_[h].begin();
    values[h] = levels_[static_cast<std::size_t>(best)];
  }
}

void Ewma::Visit(StateVisitor& state) {
  state(levels_);
  state.Raw(past());
  state(errors());
  state.Raw(seen_);
}

void Holt::Observe(const History& history) {
  const double value = static_cast<double>(history.Value(0));
  if (!started_) {
    level_ = value;
    trend_ = 0;
    started_ = true;
    return;
  }
  const double before = level_;
  const double expected = level_ + kDamping * trend_;
  level_ = expected + kLevelRate * (value - expected);
  trend_ = kTrendRate * (level_ - before) + (1 - kTrendRate) * kDamping * trend_;
}

void Holt::Forecast(const History&, const Season&, std::span<float> values) {
  for (std::size_t h = 0; h < values.size(); ++h) {
    const double steps = kDamping * (1 - std::pow(kDamping, horizons_[h])) / (1 - kDamping);
    values[h] = static_cast<float>(level_ + steps * trend_);
  }
}

void Holt::Visit(StateVisitor& state) {
  state(level_);
  state(trend_);
  state(started_);
}

void MovingMean::Forecast(const History& history, const Season&, std::span<float> values) {
  const std::size_t count = std::min(history.size(), kLength);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(history.Value(i));
  std::fill(values.begin(), values.end(), static_cast<float>(sum / static_cast<double>(count)));
}

std::size_t HistoryFor(const std::vector<int>& horizons) {
  const auto furthest = static_cast<std::size_t>(horizons.back());
  return std::max(MovingMean::kLength, Autoregression::kLags + 1 + furthest);
}

std::size_t WindowsOfAll(const std::vector<int>& horizons) {
  return static_cast<std::size_t>(std::accumulate(horizons.begin(), horizons.end(), 0));
}

}  // namespace flowcast::forecast
