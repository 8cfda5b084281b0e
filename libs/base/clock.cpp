// The clocks.
#include "libs/base/clock.h"

#include <thread>

namespace flowcast::base {

EventTime ManualClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

Duration ManualClock::Steady() const { return Now().time_since_epoch(); }

void ManualClock::Advance(Duration duration) {
  const std::lock_guard lock(mutex_);
  now_ += duration;
}

EventTime SystemClock::Now() const { return std::chrono::system_clock::now(); }

Duration SystemClock::Steady() const { return std::chrono::steady_clock::now().time_since_epoch(); }

void SystemClock::SleepFor(Duration duration) { std::this_thread::sleep_for(duration); }

}  // namespace flowcast::base
