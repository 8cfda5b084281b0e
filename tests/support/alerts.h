// Seeded random alerts.
#pragma once

#include <string>

#include "libs/alert/link_alerts.h"
#include "libs/base/random.h"
#include "libs/forecast/forecast.h"
#include "tests/support/any_batch.h"

namespace flowcast::support {

inline alert::Alert AnyAlert(base::Random& random) {
  const auto state = static_cast<alert::State>(random.Below(3));
  const bool resolved = state == alert::State::kResolved;
  alert::Alert alert{
      .fingerprint = AnyText(random),
      .state = state,
      .rule = AnyText(random),
      .severity = AnyText(random),
      .link = AnyText(random),
      .kind = static_cast<alert::Kind>(random.Below(3)),
      .target = AnyText(random),
      .threshold = random.Normal(),
      .predicted = random.Normal(),
      .low = random.Normal(),
      .high = random.Normal(),
      .probability = random.Uniform(),
      .last_actual = random.Normal(),
      .quality = AnyText(random),
      .started_at = AnyTime(random),
      .resolved_at = resolved ? AnyTime(random) : base::kBeginningOfTime,
      .reason = resolved ? static_cast<alert::Reason>(random.Below(3)) : alert::Reason::kCleared,
      .made_at = AnyTime(random),
      .target_start = AnyTime(random),
      .window_length = std::chrono::seconds(5),
      .horizon_windows = static_cast<int>(random.Below(9)),
      .runbook = AnyText(random),
      .model_version = AnyText(random),
      .silenced = random.Below(2) == 0,
      .summary = AnyText(random)};
  if (random.Below(2) == 0) alert.capacity_bps = 1e9 * random.Uniform();
  if (random.Below(2) == 0) alert.fired_at = AnyTime(random);
  for (std::uint64_t left = random.Below(4); left > 0; --left) {
    alert::HorizonQuantiles horizon{static_cast<int>(random.Below(99)), AnyTime(random), {}};
    for (std::size_t i = 0; i < forecast::kQuantileCount; ++i) horizon.quantiles.push_back(random.Normal());
    alert.forecasts.push_back(horizon);
    alert.labels[AnyText(random)] = AnyText(random);
  }
  return alert;
}

inline alert::ActiveAlert AnyActive(base::Random& random) {
  alert::ActiveAlert active{
      .rule = random.Next(), .told = random.Below(2) == 0, .published = AnyAlert(random)};
  const bool firing = random.Below(2) == 0;
  active.life = {.phase = firing ? alert::Phase::kFiring : alert::Phase::kPending,
                 .held = static_cast<std::uint32_t>(random.Next()),
                 .started_at = AnyTime(random)};
  if (firing) active.life.fired_at = active.life.kept_at = AnyTime(random);
  return active;
}

}  // namespace flowcast::support
