// Heartbeat and readiness.
#include "libs/telemetry/health.h"

#include <utility>

namespace flowcast::telemetry {
namespace {

std::string Seconds(base::Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

void Health::Beat(base::Duration now) {
  const std::lock_guard lock(mutex_);
  last_beat_ = now;
}

void Health::SetReady(bool ready, std::string reason) {
  const std::lock_guard lock(mutex_);
  ready_ = ready;
  reason_ = std::move(reason);
}

Health::State Health::Live(base::Duration now) const {
  const std::lock_guard lock(mutex_);
  if (!last_beat_) return {true, "starting"};
  const base::Duration silent = now - *last_beat_;
  if (silent <= stall_limit_) return {true, "running"};
  return {false,
          "stalled: no turn of the loop for " + Seconds(silent) + ", longer than " + Seconds(stall_limit_)};
}

Health::State Health::Ready(base::Duration now) const {
  State live = Live(now);
  if (!live.ok) return live;
  const std::lock_guard lock(mutex_);
  return {ready_, reason_};
}

}  // namespace flowcast::telemetry
