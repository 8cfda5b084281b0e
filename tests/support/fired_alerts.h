// Alerts for tests of those who are told of them.
#pragma once

#include <string>

#include "libs/alert/alert.h"

namespace flowcast::support {

inline alert::Alert FiringAlert(const std::string& fingerprint = "22c0fa56215f0d55") {
  using namespace std::chrono_literals;
  const auto at = base::FromUnixNanoseconds(1'795'254'375'000'000'000);  // 2026-11-21T09:46:15Z
  return {.fingerprint = fingerprint,
          .state = alert::State::kFiring,
          .rule = "load",
          .severity = "warning",
          .link = "demo/lab",
          .target = "packets",
          .threshold = 340,
          .predicted = 358.608,
          .low = 314.7,
          .high = 598.5,
          .probability = 0.8056,
          .last_actual = 367,
          .quality = "good",
          .started_at = at - 2s,
          .fired_at = at,
          .made_at = at,
          .target_start = at,
          .window_length = 1s,
          .model_version = "v1",
          .summary = "demo/lab will pass 340 packets"};
}

inline alert::Alert ResolvedAlert(const std::string& fingerprint = "22c0fa56215f0d55") {
  using namespace std::chrono_literals;
  alert::Alert alert = FiringAlert(fingerprint);
  alert.state = alert::State::kResolved;
  alert.made_at += 30s;
  alert.resolved_at = alert.made_at;
  alert.summary = "demo/lab is back";
  return alert;
}

}  // namespace flowcast::support
