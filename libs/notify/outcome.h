// What became of an attempt to hand something over.
#pragma once

#include <optional>
#include <string>

#include "libs/base/time.h"

namespace flowcast::notify {

struct Outcome {
  enum class Kind {
    kTaken,
    kRetry,    // not now; perhaps later
    kRefused,  // never
  };
  Kind kind = Kind::kTaken;
  std::string reason{};                         // one line; empty when it was taken
  std::optional<base::Duration> retry_after{};  // not before, as the receiver wishes
};

/// The longest wish of a receiver that is heard.
inline constexpr base::Duration kLongestRetryAfter = std::chrono::hours(1);

/// Of an HTTP answer: 2xx is taken; 408, 429 and 5xx are to be retried; anything else is refused, redirects
/// included. `retry_after` is the header of that name (seconds or a date; RFC 9110), empty without one, and
/// `now` the wall clock that the date is held against.
Outcome JudgeStatus(int status, const std::string& retry_after, base::EventTime now);

}  // namespace flowcast::notify
