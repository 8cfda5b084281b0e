// Event time and durations, the same type everywhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace flowcast::base {

using Duration = std::chrono::nanoseconds;

/// A moment of event time: nanoseconds since the Unix epoch (UTC, leap seconds not counted).
/// Covers the years 1678 to 2261.
using EventTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

constexpr EventTime FromUnixNanoseconds(std::int64_t nanoseconds) { return EventTime(Duration(nanoseconds)); }
constexpr std::int64_t ToUnixNanoseconds(EventTime time) { return time.time_since_epoch().count(); }
constexpr double ToSeconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
constexpr double ToUnixSeconds(EventTime time) { return ToSeconds(time.time_since_epoch()); }

/// Before any event: the watermark of a stream that has said nothing yet.
inline constexpr EventTime kBeginningOfTime = EventTime::min();
/// After any event: the watermark of a stream that has ended.
inline constexpr EventTime kEndOfTime = EventTime::max();

/// The start of the `length` window that `time` falls into; windows are aligned to the epoch,
/// also before 1970. `length` is positive.
constexpr EventTime AlignDown(EventTime time, Duration length) {
  const auto since = time.time_since_epoch();
  const auto remainder = since % length;
  return time - (remainder < Duration::zero() ? remainder + length : remainder);
}

/// "2026-11-21T10:00:00.250Z"; the fraction has 0, 3, 6 or 9 digits, as many as are needed.
std::string FormatTime(EventTime time);

/// "250ms", "1.5s", "5m", "2h", "1d", "1us", "7ns", each a positive number with its unit.
/// Throws ConfigError for anything else.
Duration ParseDuration(const std::string& text);

/// The shortest of ParseDuration's spellings: "5s", "90s", "1h".
std::string FormatDuration(Duration duration);

}  // namespace flowcast::base
