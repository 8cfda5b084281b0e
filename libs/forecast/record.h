// The live record of a link: how good its last forecasts were.
#pragma once

#include <vector>

#include "libs/forecast/forecast.h"

namespace flowcast::forecast {

/// Settled forecasts that the live record looks back on.
inline constexpr std::size_t kRecordWindows = 200;

class RecentRecord {
 public:
  void Add(double error, double persistence_error, bool covered);
  /// Zeros while nothing has settled. Errors are kept as float: relative precision 1e-7.
  LiveRecord Summary() const;

 private:
  struct Entry {
    float error;
    float persistence_error;
    bool covered;
  };

  std::vector<Entry> entries_;  // a ring once it is full
  std::uint64_t settled_ = 0;
};

}  // namespace flowcast::forecast
