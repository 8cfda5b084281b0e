// When it is time to learn again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/base/time.h"

namespace flowcast::training {

struct RetrainOptions {
  base::Duration every = std::chrono::hours(1);
  std::uint64_t after_sequences = 0;  // new ones since the last training; 0: their number is no reason
  double drift_ratio = 1.2;           // see DriftWatch; 0: drift is no reason
};

/// What a training would be for.
enum class Reason { kFirst, kOnce, kSchedule, kAmount, kDrift };
std::string_view ToString(Reason reason);

/// How things stand since the last training, whatever became of it.
struct Standing {
  bool trained = false;             // there was one
  base::Duration since_training{};  // by a clock that does not jump
  std::uint64_t new_sequences = 0;
  bool newer = false;           // windows that end after those it learned from
  std::optional<double> drift;  // of the model in use; nothing while it is not known
};

/// The first that holds of: nothing has been learned yet; the live error has drifted; enough is new; the time
/// has come. Never without newer windows than those of the last training.
std::optional<Reason> DueFor(const RetrainOptions& options, const Standing& standing);

}  // namespace flowcast::training
