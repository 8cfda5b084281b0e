// What is said now and then only.
#pragma once

#include "libs/base/clock.h"

namespace flowcast::base {

/// Not thread-safe; `clock` must outlive it.
class Throttle {
 public:
  Throttle(const Clock& clock, Duration interval) : clock_(clock), interval_(interval) {}

  /// True the first time, and then once `interval` has passed since it was true.
  bool IsDue() {
    const Duration now = clock_.Steady();
    if (now < next_) return false;
    next_ = now + interval_;
    return true;
  }

 private:
  const Clock& clock_;
  Duration interval_;
  Duration next_ = Duration::min();
};

}  // namespace flowcast::base
