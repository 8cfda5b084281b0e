// What a link's load is compared with.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "libs/alert/capacity.h"
#include "libs/base/time.h"

namespace flowcast::alert {

/// "100" (packets a window, or the unit of another target but bytes), "2MB" (bytes a window: B, kB, MB, GB),
/// "80%" (of the link's capacity), "p95" (that percentile of the part that the model learned from: p50, p90,
/// p95 or p99).
struct Threshold {
  enum class Kind { kNumber, kBytes, kShareOfCapacity, kPercentile };
  Kind kind = Kind::kNumber;
  double value = 100;      // target's unit, bytes or share
  std::string percentile;  // "p95"

  /// Throws base::ConfigError with the forms that there are.
  static Threshold Parse(const std::string& text);
  /// Whether it can be compared with forecasts of this target (a feature).
  bool Fits(const std::string& target) const;
  /// As Parse reads it.
  std::string Text() const;
  bool operator==(const Threshold&) const = default;
};

/// Percentiles by link ("" for all together), as in a model's manifest.
using PercentilesByLink = std::map<std::string, std::map<std::string, double>>;

/// The threshold in the target's units a window; nothing when capacity or percentile is unknown.
std::optional<double> Resolve(const Threshold& threshold, const std::string& link,
                              base::Duration window_length, const Capacities& capacities,
                              const PercentilesByLink& percentiles);

}  // namespace flowcast::alert
