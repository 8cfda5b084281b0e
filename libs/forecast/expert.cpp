// Simple forecasters of a series.
#include "libs/forecast/expert.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::forecast {

void Ewma::Observe(double value) {
  level_ = started_ ? level_ + alpha_ * (value - level_) : value;
  started_ = true;
}

void AdaptiveEwma::Observe(double value) {
  for (Candidate& candidate : candidates_) {
    if (started_)
      candidate.error += kForget * (std::abs(value - candidate.level.Forecast(1)) - candidate.error);
    candidate.level.Observe(value);
  }
  started_ = true;
}

double AdaptiveEwma::Forecast(int horizon) const {
  const auto best =
      std::min_element(candidates_.begin(), candidates_.end(),
                       [](const Candidate& a, const Candidate& b) { return a.error < b.error; });
  return best->level.Forecast(horizon);
}

void MovingMean::Observe(double value) {
  values_.push_back(value);
  if (values_.size() > length_) values_.pop_front();
}

// Summed anew: a running sum would keep the rounding of large values that have long gone.
double MovingMean::Forecast(int) const {
  if (values_.empty()) return 0;
  return std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

std::vector<std::unique_ptr<Expert>> MakeExperts() {
  std::vector<std::unique_ptr<Expert>> experts;
  experts.push_back(std::make_unique<Persistence>());
  experts.push_back(std::make_unique<AdaptiveEwma>());
  experts.push_back(std::make_unique<MovingMean>());
  return experts;
}

}  // namespace flowcast::forecast
