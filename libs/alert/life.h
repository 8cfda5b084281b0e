// The life of an alert: inactive, pending, firing, and inactive again. Pure: a few bytes and one step a
// window.
#pragma once

#include <cstdint>

#include "libs/base/time.h"

namespace flowcast::alert {

/// The condition must hold in `needed` of the last `of` windows.
struct Terms {
  static constexpr int kMost = 32;
  int needed = 1;
  int of = 1;  // at most kMost, at least needed
  base::Duration keep_firing_for{0};

  bool operator==(const Terms&) const = default;
};

/// What one window says. Never both.
struct Condition {
  bool holds = false;
  bool clears = false;  // it is surely over
};

enum class Phase : std::uint8_t { kInactive, kPending, kFiring };
enum class Change : std::uint8_t {
  kNone,
  kPending,    // it holds, not often enough yet
  kFired,      //
  kWithdrawn,  // it went away before it fired
  kResolved,
};

/// Inactive unless something is remembered.
struct Life {
  Phase phase = Phase::kInactive;
  std::uint32_t held = 0;  // while pending: bit i, whether it held i windows ago
  base::EventTime started_at = base::kBeginningOfTime;
  base::EventTime fired_at = base::kBeginningOfTime;
  base::EventTime kept_at = base::kBeginningOfTime;  // while firing: the last window that did not clear it

  bool operator==(const Life&) const = default;
};

/// One window further, which ends at `now`. Windows count that are seen; missing ones are not asked. Pending
/// from the first window that holds until enough of the last ones do (then it fires) or none does (then it is
/// withdrawn). Firing until a window clears it that ends keep_firing_for or more after the last one that did
/// not.
Change Step(Life& life, const Terms& terms, Condition condition, base::EventTime now);

/// The same for a window of which it is known that it changed no phase: what it made remembered.
void StepAgain(Life& life, const Terms& terms, Condition condition, base::EventTime now);

}  // namespace flowcast::alert
