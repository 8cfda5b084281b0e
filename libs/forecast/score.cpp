// Scores of a forecaster over a whole run.
#include "libs/forecast/score.h"

#include <algorithm>
#include <cmath>

namespace flowcast::forecast {

void ScoreKeeper::Add(double actual, double forecast, double persistence) {
  const auto usable = [](double value) { return std::abs(value) <= 1e150; };
  if (!usable(actual) || !usable(forecast) || !usable(persistence)) {
    ++ignored_;
    return;
  }
  const double error = forecast - actual;
  ++count_;
  squared_ += error * error;
  absolute_ += std::abs(error);
  persistence_ += std::abs(persistence - actual);
  if (actual == 0) {
    ++zeros_;
  } else {
    relative_ += std::abs(error / actual);
  }
  const double before = actual - mean_;
  mean_ += before / static_cast<double>(count_);
  spread_ += before * (actual - mean_);
}

Scores ScoreKeeper::Result() const {
  Scores scores;
  scores.count = count_;
  scores.ignored = ignored_;
  scores.left_out_of_mape = zeros_;
  if (count_ == 0) return scores;
  const auto count = static_cast<double>(count_);
  scores.mse = squared_ / count;
  scores.rmse = std::sqrt(*scores.mse);
  scores.mae = absolute_ / count;
  scores.mae_persistence = persistence_ / count;
  const auto ratio = [](double part, double whole) -> std::optional<double> {
    if (!(whole > 0) || !std::isfinite(part / whole)) return std::nullopt;
    return part / whole;
  };
  scores.mape = ratio(relative_, static_cast<double>(count_ - zeros_));
  if (const auto part = ratio(squared_, spread_)) scores.r2 = 1 - *part;
  if (const auto part = ratio(absolute_, persistence_)) scores.skill = 1 - *part;
  return scores;
}

}  // namespace flowcast::forecast
