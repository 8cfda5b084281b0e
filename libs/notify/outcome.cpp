// Status codes and Retry-After.
#include "libs/notify/outcome.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace flowcast::notify {
namespace {

std::optional<base::Duration> ParseSeconds(const std::string& text) {
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (text.empty() || stop != end || seconds < 0) return std::nullopt;
  if (error == std::errc::result_out_of_range) return kLongestRetryAfter;
  if (error != std::errc()) return std::nullopt;
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::seconds>(kLongestRetryAfter);
  return std::min<base::Duration>(kMost,
                                  std::chrono::seconds(std::min<std::int64_t>(seconds, kMost.count())));
}

unsigned MonthOf(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  return found == kMonths.end() ? 0 : static_cast<unsigned>(found - kMonths.begin()) + 1;
}

/// "Sun, 22 Nov 2026 08:49:37 GMT".
std::optional<base::EventTime> ParseDate(const std::string& text) {
  unsigned day = 0, hour = 0, minute = 0, second = 0;
  int year = 0;
  char month[4] = "";
  if (std::sscanf(text.c_str(), "%*3s, %2u %3s %4d %2u:%2u:%2u GMT", &day, month, &year, &hour, &minute,
                  &second) != 6) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(MonthOf(month)),
                                         std::chrono::day(day)};
  if (!date.ok() || year < 1970 || year > 2200) return std::nullopt;
  return base::EventTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

std::optional<base::Duration> RetryAfter(const std::string& text, base::EventTime now) {
  if (const auto seconds = ParseSeconds(text)) return seconds;
  const auto date = ParseDate(text);
  if (!date) return std::nullopt;
  return std::clamp<base::Duration>(*date - now, base::Duration::zero(), kLongestRetryAfter);
}

}  // namespace

Outcome JudgeStatus(int status, const std::string& retry_after, base::EventTime now) {
  if (status >= 200 && status < 300) return {};
  const bool again = status == 408 || status == 429 || status >= 500;
  Outcome outcome{.kind = again ? Outcome::Kind::kRetry : Outcome::Kind::kRefused,
                  .reason = "status " + std::to_string(status)};
  if (again) outcome.retry_after = RetryAfter(retry_after, now);
  return outcome;
}

}  // namespace flowcast::notify
