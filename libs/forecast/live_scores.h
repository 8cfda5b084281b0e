// How good what was published turned out to be, by horizon, over all links.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "libs/forecast/link_forecaster.h"

namespace flowcast::forecast {

/// Errors are in the target's unit a window: links with much load count for more.
struct ScoreSums {
  std::uint64_t settled = 0;
  std::uint64_t covered = 0;  // the truth lay between the quantiles 0.05 and 0.95
  double error = 0;           // summed absolute errors of the medians
  double persistence_error = 0;

  ScoreSums& operator+=(const ScoreSums& other);
  /// 1 - error / persistence_error; none while persistence has made no error.
  std::optional<double> skill() const;
  /// None while nothing has settled.
  std::optional<double> coverage() const;
  bool operator==(const ScoreSums&) const = default;
};

class LiveScores {
 public:
  /// `recent` looks back over so many settled forecasts of a horizon, and at most twice as many.
  static constexpr std::uint64_t kRecent = 10'000;

  void Add(const Settled& settled);
  /// Since the beginning, by horizon in windows.
  const std::map<int, ScoreSums>& all() const { return all_; }
  std::map<int, ScoreSums> Recent() const;

 private:
  std::map<int, ScoreSums> all_;
  std::map<int, std::array<ScoreSums, 2>> recent_;  // the half that is being filled, and the one before
};

}  // namespace flowcast::forecast
