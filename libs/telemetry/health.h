// Whether a program is alive and ready.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "libs/base/time.h"

namespace flowcast::telemetry {

/// Alive: its loop beats. Ready: it has what it needs. Thread-safe; times are of one steady clock.
class Health {
 public:
  struct State {
    bool ok = false;
    std::string reason;  // one line, also when it is ok
  };

  /// A loop that has not beaten for longer than `stall_limit` is stalled.
  explicit Health(base::Duration stall_limit) : stall_limit_(stall_limit) {}

  void Beat(base::Duration now);
  void SetReady(bool ready, std::string reason);

  /// Before the first beat the program is starting, which counts as alive: what it waits for then
  /// has time-outs of its own.
  State Live(base::Duration now) const;
  /// A program that is stalled is not ready.
  State Ready(base::Duration now) const;

 private:
  base::Duration stall_limit_;
  mutable std::mutex mutex_;
  std::optional<base::Duration> last_beat_;
  bool ready_ = false;
  std::string reason_ = "starting";
};

}  // namespace flowcast::telemetry
