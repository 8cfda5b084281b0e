// Times at which nobody wants to be woken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/time.h"

namespace flowcast::alert {

/// Either [from, to), or every day [begin, end) by the time of day, UTC. A daily one whose end is not after
/// its begin goes on into the next day; its weekday is the one that it begins on.
struct Silence {
  struct Span {
    base::EventTime from = base::kBeginningOfTime;
    base::EventTime to = base::kEndOfTime;
    bool operator==(const Span&) const = default;
  };
  struct Daily {
    std::chrono::minutes begin{0};
    std::chrono::minutes end{0};
    std::uint8_t weekdays = kEveryDay;  // bit 0 is Monday
    bool operator==(const Daily&) const = default;
  };
  static constexpr std::uint8_t kEveryDay = 0x7f;

  bool Covers(base::EventTime time) const;
  bool operator==(const Silence&) const = default;

  std::optional<Span> span;
  std::optional<Daily> daily;
};

/// "22:00-06:00"; 24:00 is the end of a day. Throws base::ConfigError.
Silence::Daily ParseDaily(const std::string& text);
/// "mon" to "sun" into the bits of Silence::Daily. Throws base::ConfigError.
std::uint8_t ParseWeekdays(const std::vector<std::string>& names);

}  // namespace flowcast::alert
