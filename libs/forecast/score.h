// Scores of a forecaster over a whole run, for evaluation and the trainer's report.
#pragma once

#include <cstdint>
#include <optional>

namespace flowcast::forecast {

/// Absent where undefined: everything without forecasts, `mape` without an actual other than 0,
/// `r2` when the actuals are constant, `skill` when persistence made no error.
struct Scores {
  std::uint64_t count = 0;
  std::uint64_t ignored = 0;           // not finite
  std::uint64_t left_out_of_mape = 0;  // actual was 0
  std::optional<double> mse;
  std::optional<double> rmse;
  std::optional<double> mae;
  std::optional<double> mape;  // mean of |error| / |actual|, 0.1 is 10 %
  std::optional<double> r2;    // 1 - sum of squared errors / sum of squares about the mean
  std::optional<double> mae_persistence;
  std::optional<double> skill;  // 1 - mae / mae_persistence; above 0 is better than persistence
};

class ScoreKeeper {
 public:
  /// A forecast and what persistence said, with the truth. Ignored and counted when one of them is
  /// not finite or beyond 1e150, where squares overflow.
  void Add(double actual, double forecast, double persistence);
  Scores Result() const;

 private:
  std::uint64_t count_ = 0;
  std::uint64_t ignored_ = 0;
  std::uint64_t zeros_ = 0;
  double squared_ = 0;
  double absolute_ = 0;
  double relative_ = 0;
  double persistence_ = 0;
  double mean_ = 0;    // of the actuals
  double spread_ = 0;  // sum of squares about it (Welford 1962)
};

}  // namespace flowcast::forecast
