// The steps of an alert's life.
#include "libs/alert/life.h"

#include <bit>

namespace flowcast::alert {
namespace {

constexpr std::uint32_t MaskOf(int windows) {
  return windows >= Terms::kMost ? ~std::uint32_t{0} : (std::uint32_t{1} << windows) - 1;
}

Change Begin(Life& life, const Terms& terms, base::EventTime now) {
  life = {.phase = Phase::kPending, .held = 1, .started_at = now};
  if (terms.needed > 1) return Change::kPending;
  life = {.phase = Phase::kFiring, .started_at = now, .fired_at = now, .kept_at = now};
  return Change::kFired;
}

void Remember(Life& life, const Terms& terms, Condition condition, base::EventTime now) {
  if (life.phase == Phase::kPending)
    life.held = (life.held << 1 | (condition.holds ? 1U : 0U)) & MaskOf(terms.of);
  if (life.phase == Phase::kFiring && !condition.clears) life.kept_at = now;
}

}  // namespace

Change Step(Life& life, const Terms& terms, Condition condition, base::EventTime now) {
  if (life.phase == Phase::kInactive) return condition.holds ? Begin(life, terms, now) : Change::kNone;
  Remember(life, terms, condition, now);
  if (life.phase == Phase::kFiring) {
    if (!condition.clears || now - life.kept_at < terms.keep_firing_for) return Change::kNone;
    life.phase = Phase::kInactive;
    return Change::kResolved;
  }
  if (std::popcount(life.held) >= terms.needed) {
    life = {.phase = Phase::kFiring, .started_at = life.started_at, .fired_at = now, .kept_at = now};
    return Change::kFired;
  }
  if (life.held != 0) return Change::kNone;
  life.phase = Phase::kInactive;
  return Change::kWithdrawn;
}

void StepAgain(Life& life, const Terms& terms, Condition condition, base::EventTime now) {
  Remember(life, terms, condition, now);
}

}  // namespace flowcast::alert
