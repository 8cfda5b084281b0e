// How fast a count grows.
#pragma once

#include <cstdint>

#include "libs/base/clock.h"

namespace flowcast::base {

/// Not thread-safe; `clock` must outlive it.
class Rate {
 public:
  explicit Rate(const Clock& clock) : clock_(clock), asked_at_(clock.Steady()) {}

  /// Per second since it was asked last; 0 when no time has passed.
  double Of(std::uint64_t count) {
    const Duration now = clock_.Steady();
    const double seconds = ToSeconds(now - asked_at_);
    const double rate = seconds > 0 ? static_cast<double>(count - count_) / seconds : 0;
    asked_at_ = now;
    count_ = count;
    return rate;
  }

 private:
  const Clock& clock_;
  Duration asked_at_;
  std::uint64_t count_ = 0;
};

}  // namespace flowcast::base
