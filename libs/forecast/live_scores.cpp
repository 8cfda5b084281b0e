// Sums, and two halves that take turns.
#include "libs/forecast/live_scores.h"

#include <cmath>

namespace flowcast::forecast {

ScoreSums& ScoreSums::operator+=(const ScoreSums& other) {
  settled += other.settled;
  covered += other.covered;
  error += other.error;
  persistence_error += other.persistence_error;
  return *this;
}

std::optional<double> ScoreSums::skill() const {
  return persistence_error > 0 ? std::optional(1 - error / persistence_error) : std::nullopt;
}

std::optional<double> ScoreSums::coverage() const {
  if (settled == 0) return std::nullopt;
  return static_cast<double>(covered) / static_cast<double>(settled);
}

void LiveScores::Add(const Settled& settled) {
  const ScoreSums one{.settled = 1,
                      .covered = settled.low <= settled.actual && settled.actual <= settled.high ? 1U : 0U,
                      .error = std::abs(settled.actual - settled.median),
                      .persistence_error = std::abs(settled.actual - settled.persistence)};
  all_[settled.horizon_windows] += one;
  auto& [filling, before] = recent_[settled.horizon_windows];
  if (filling.settled >= kRecent) {
    before = filling;
    filling = {};
  }
  filling += one;
}

std::map<int, ScoreSums> LiveScores::Recent() const {
  std::map<int, ScoreSums> sums;
  for (const auto& [horizon, halves] : recent_) {
    for (const ScoreSums& half : halves) sums[horizon] += half;
  }
  return sums;
}

}  // namespace flowcast::forecast
