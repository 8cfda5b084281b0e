// The life of an alert against a model of its specification that remembers everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "libs/alert/life.h"
#include "libs/base/random.h"
#include "tests/support/stream.h"

namespace flowcast::alert {
namespace {

using namespace std::chrono_literals;
using support::At;

/// Told of one window after the other; keeps all of them and looks back each time.
class Specification {
 public:
  explicit Specification(const Terms& terms) : terms_(terms) {}

  Change Tell(Condition condition, base::EventTime now) {
    seen_.push_back({condition, now});
    if (fired_) return TellFiring();
    const long held = HeldOfLast();
    if (held >= terms_.needed) {
      if (!pending_) started_ = now;
      pending_ = false;
      fired_ = true;
      fired_at_ = now;
      return Change::kFired;
    }
    if (!pending_ && condition.holds) {
      pending_ = true;
      started_ = now;
      return Change::kPending;
    }
    if (pending_ && held == 0) {
      Over();
      return Change::kWithdrawn;
    }
    return Change::kNone;
  }
  base::EventTime started() const { return started_; }
  base::EventTime fired_at() const { return fired_at_; }

 private:
  struct Window {
    Condition condition;
    base::EventTime end;
  };
  Change TellFiring() {
    if (!seen_.back().condition.clears) return Change::kNone;
    const auto kept = std::find_if(seen_.rbegin(), seen_.rend(),
                                   [](const Window& window) { return !window.condition.clears; });
    if (seen_.back().end - kept->end < terms_.keep_firing_for) return Change::kNone;
    Over();
    return Change::kResolved;
  }
  /// Of this episode: what was before the last one's end is forgotten.
  long HeldOfLast() const {
    const auto windows = std::min<std::size_t>(seen_.size(), static_cast<std::size_t>(terms_.of));
    return std::count_if(seen_.end() - static_cast<long>(windows), seen_.end(),
                         [](const Window& window) { return window.condition.holds; });
  }
  void Over() {
    seen_.clear();
    pending_ = fired_ = false;
  }

  Terms terms_;
  std::vector<Window> seen_;
  bool pending_ = false;
  bool fired_ = false;
  base::EventTime started_, fired_at_;
};

Condition AnyCondition(base::Random& random, std::uint64_t mood) {
  const std::uint64_t dice = random.Below(10);
  if (dice < mood) return {.holds = true, .clears = false};
  return {.holds = false, .clears = dice < 8};
}

TEST(AlertLife, IsAsTheModelOfTheSpecificationSays) {
  base::Random random(7);
  int changes[5] = {};
  for (int round = 0; round < 400; ++round) {
    Terms terms{.of = static_cast<int>(1 + random.Below(round % 4 == 0 ? Terms::kMost : 5))};
    terms.needed = static_cast<int>(1 + random.Below(static_cast<std::uint64_t>(terms.of)));
    terms.keep_firing_for = 5s * static_cast<int>(random.Below(5));
    Specification specification(terms);
    Life life;
    int second = 0;
    for (int window = 0; window < 200; ++window) {
      second += 5 * static_cast<int>(1 + (random.Below(9) == 0 ? random.Below(4) : 0));
      const Condition condition = AnyCondition(random, window / 20 % 2 == 0 ? 2 : 7);
      const Change change = Step(life, terms, condition, At(second));
      ASSERT_EQ(change, specification.Tell(condition, At(second))) << round << " " << window;
      ++changes[static_cast<int>(change)];
      if (life.phase == Phase::kInactive) continue;
      ASSERT_EQ(life.started_at, specification.started());
      const bool fired = life.phase == Phase::kFiring;
      ASSERT_EQ(fired ? life.fired_at : At(0), fired ? specification.fired_at() : At(0));
    }
  }
  for (const int count : changes) EXPECT_GT(count, 100) << "every change was tried";
}

TEST(AlertLife, FiresAtOnceWhenOneWindowIsEnough) {
  Life life;
  EXPECT_EQ(Step(life, {}, {.holds = true}, At(5)), Change::kFired);
  EXPECT_EQ(life.started_at, At(5));
  EXPECT_EQ(life.fired_at, At(5));
}

TEST(AlertLife, WhatNeitherHoldsNorClearsChangesNothing) {
  Life life;
  EXPECT_EQ(Step(life, {}, {}, At(5)), Change::kNone);
  Step(life, {}, {.holds = true}, At(10));
  EXPECT_EQ(Step(life, {}, {}, At(15)), Change::kNone);
  EXPECT_EQ(Step(life, {}, {.clears = true}, At(20)), Change::kResolved);
}

TEST(AlertLife, AWindowFoldedAgainIsRememberedAndChangesNoPhase) {
  const Terms terms{.needed = 2, .of = 3, .keep_firing_for = 10s};
  Life once, again;
  Step(once, terms, {.holds = true}, At(5));
  Step(again, terms, {.holds = true}, At(5));
  EXPECT_EQ(Step(once, terms, {}, At(10)), Change::kNone);
  StepAgain(again, terms, {}, At(10));
  EXPECT_EQ(again, once);
  EXPECT_EQ(Step(again, terms, {.holds = true}, At(15)), Change::kFired);
  StepAgain(again, terms, {.clears = true}, At(60));
  EXPECT_EQ(again.phase, Phase::kFiring);
}

TEST(AlertLife, IsSmall) { EXPECT_LE(sizeof(Life), 32u); }

}  // namespace
}  // namespace flowcast::alert
