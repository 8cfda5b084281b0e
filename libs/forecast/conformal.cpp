// The interval around the median.
#include "libs/forecast/conformal.h"

#include <algorithm>
#include <cmath>

namespace flowcast::forecast {

ConformalQuantiles::ConformalQuantiles(const IntervalOptions& options) : options_(options) {
  std::copy(std::begin(kQuantileLevels), std::end(kQuantileLevels), levels_.begin());
}

std::vector<double> ConformalQuantiles::Around(double median, double scale) const {
  std::vector<double> quantiles(kQuantileCount, median);
  for (std::size_t i = 0; i < kQuantileCount; ++i) {
    if (i == kMedian) continue;
    quantiles[i] =
        HasEnough() ? median + scale * EmpiricalQuantile(levels_[i]) : YoungQuantile(i, median, scale);
  }
  for (std::size_t i = kMedian; i-- > 0;)
    quantiles[i] = std::max(0.0, std::min(quantiles[i], quantiles[i + 1]));
  for (std::size_t i = kMedian + 1; i < kQuantileCount; ++i)
    quantiles[i] = std::max(quantiles[i], quantiles[i - 1]);
  return quantiles;
}

double ConformalQuantiles::YoungQuantile(std::size_t index, double median, double scale) const {
  const double probability = kQuantileLevels[index];
  const double known = static_cast<double>(count());
  const double wide = scale * (1 + 4 / (known + 1)) + 0.5 * median / (known + 1);
  const bool low = probability < 0.5;
  return median + wide * (low ? std::log(2 * probability) : -std::log(2 * (1 - probability)));
}

double ConformalQuantiles::EmpiricalQuantile(double level) const {
  const double position = level * static_cast<double>(sorted_.size() + 1) - 1;
  const double last = static_cast<double>(sorted_.size() - 1);
  const double within = std::clamp(position, 0.0, last);
  const auto below = static_cast<std::size_t>(within);
  const std::size_t above = std::min(below + 1, sorted_.size() - 1);
  const double part = within - static_cast<double>(below);
  return (1 - part) * static_cast<double>(sorted_[below]) + part * static_cast<double>(sorted_[above]);
}

double ConformalQuantiles::Clip(double value, double low, double high) {
  if (value < low || value > high) ++clipped_;
  return std::clamp(value, low, high);
}

void ConformalQuantiles::Learn(double actual, const std::vector<double>& quantiles, double scale) {
  if (HasEnough()) {
    for (std::size_t i = 0; i < kQuantileCount; ++i) {
      if (i == kMedian || actual == quantiles[i]) continue;
      const double below = actual < quantiles[i] ? 1 : 0;
      levels_[i] = Clip(levels_[i] + options_.correction * (kQuantileLevels[i] - below), 0, 1);
    }
  }
  Keep(scale > 0 ? (actual - quantiles[kMedian]) / scale : 0);
}

void ConformalQuantiles::Keep(double residual) {
  const auto value = static_cast<float>(Clip(residual, -kLargestResidual, kLargestResidual));
  if (recent_.size() < options_.residuals) {
    recent_.push_back(value);
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
    return;
  }
  const auto gone = std::lower_bound(sorted_.begin(), sorted_.end(), recent_[oldest_]);
  const auto place = std::upper_bound(sorted_.begin(), sorted_.end(), value);
  // One move of the values between the two places; the sorted ones never leave their array.
  if (gone < place) {
    std::move(gone + 1, place, gone);
    *(place - 1) = value;
  } else {
    std::move_backward(place, gone, gone + 1);
    *place = value;
  }
  recent_[oldest_] = value;
  oldest_ = (oldest_ + 1) % recent_.size();
}

}  // namespace flowcast::forecast
