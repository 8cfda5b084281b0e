// The interval around the median: from a link's own residuals, corrected as truths arrive.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "libs/forecast/forecast.h"

namespace flowcast::forecast {

struct IntervalOptions {
  std::size_t residuals = 240;  // how many of the last are kept
  std::size_t enough = 40;      // fewer than this: the wide interval of a young link
  double correction = 0.02;     // gamma of adaptive conformal inference
};

/// Quantiles of a forecast: median + scale x the empirical quantile of the last residuals, each in
/// units of the scale of its own time (so that a link that grows louder widens at once). The level q
/// at which the quantile for probability p is read is corrected by every truth y (Gibbs & Candes,
/// "Adaptive Conformal Inference Under Distribution Shift", 2021, one level at a time):
///   q += gamma (p - [y < quantile]),  within [0, 1]; no change when y is the quantile itself.
/// Quantiles ascend, are never negative and stand around the median, which is the caller's.
/// Before `enough` residuals: Laplace's quantiles of a scale enlarged by half the median at first.
class ConformalQuantiles {
 public:
  explicit ConformalQuantiles(const IntervalOptions& options = {});

  /// kQuantileCount values. `scale` is the link's present mean absolute error, at least 0.
  std::vector<double> Around(double median, double scale) const;

  /// The truth about a forecast: its quantiles as published, and the scale it was made with. With a
  /// scale of 0 (a constant link) the residual counts as 0.
  void Learn(double actual, const std::vector<double>& quantiles, double scale);

  std::size_t count() const { return recent_.size(); }
  bool HasEnough() const { return count() >= options_.enough; }
  /// Levels that a correction pushed beyond [0, 1], and residuals beyond kLargestResidual scales.
  std::uint64_t clipped() const { return clipped_; }

  static constexpr float kLargestResidual = 1000;

 private:
  double YoungQuantile(std::size_t index, double median, double scale) const;
  double EmpiricalQuantile(double level) const;
  void Keep(double residual);
  double Clip(double value, double low, double high);

  IntervalOptions options_;
  std::array<double, kQuantileCount> levels_;
  std::vector<float> recent_;  // a ring once it is full
  std::vector<float> sorted_;  // the same values, ascending
  std::size_t oldest_ = 0;
  std::uint64_t clipped_ = 0;
};

}  // namespace flowcast::forecast
