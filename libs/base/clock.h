// The only way to processing time. Event time never comes from here.
#pragma once

#include <mutex>

#include "libs/base/time.h"

namespace flowcast::base {

/// Wall and steady time, and waiting. Thread-safe in every implementation.
class Clock {
 public:
  virtual ~Clock() = default;
  /// The host's wall clock.
  virtual EventTime Now() const = 0;
  /// Never goes back; its zero has no meaning.
  virtual Duration Steady() const = 0;
  virtual void SleepFor(Duration duration) = 0;
};

/// For tests: moves only when told to; sleeping moves it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(EventTime start = FromUnixNanoseconds(1'700'000'000'000'000'000)) : now_(start) {}
  EventTime Now() const override;
  Duration Steady() const override;
  void SleepFor(Duration duration) override { Advance(duration); }
  void Advance(Duration duration);

 private:
  mutable std::mutex mutex_;
  EventTime now_;
};

/// The machine's clocks: the only place that asks the system for the time.
class SystemClock : public Clock {
 public:
  EventTime Now() const override;
  Duration Steady() const override;
  void SleepFor(Duration duration) override;
};

}  // namespace flowcast::base
