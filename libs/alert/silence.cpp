// Silences by date and by the time of day.
#include "libs/alert/silence.h"

#include <array>
#include <cstdio>

#include "libs/base/error.h"

namespace flowcast::alert {
namespace {

using namespace std::chrono;

constexpr minutes kDay = hours(24);

bool Has(const Silence::Daily& daily, sys_days day) {
  return (daily.weekdays >> (weekday(day).iso_encoding() - 1) & 1U) != 0;
}

bool CoversDaily(const Silence::Daily& daily, base::EventTime time) {
  const auto today = floor<days>(time);
  const auto of_day = time - today;
  if (daily.begin < daily.end) return Has(daily, today) && daily.begin <= of_day && of_day < daily.end;
  return (Has(daily, today) && daily.begin <= of_day) || (Has(daily, today - days(1)) && of_day < daily.end);
}

}  // namespace

bool Silence::Covers(base::EventTime time) const {
  if (span && span->from <= time && time < span->to) return true;
  return daily && CoversDaily(*daily, time);
}

Silence::Daily ParseDaily(const std::string& text) {
  unsigned begin_hour = 0, begin_minute = 0, end_hour = 0, end_minute = 0;
  int used = 0;
  const int read = std::sscanf(text.c_str(), "%2u:%2u-%2u:%2u%n", &begin_hour, &begin_minute, &end_hour,
                               &end_minute, &used);
  const auto begin = hours(begin_hour) + minutes(begin_minute), end = hours(end_hour) + minutes(end_minute);
  const bool sound = read == 4 && static_cast<std::size_t>(used) == text.size() && begin_minute < 60 &&
                     end_minute < 60 && begin < kDay && end <= kDay && begin != end;
  if (!sound) {
    throw base::ConfigError("'" + text +
                            "' is no time of the day; write from when until when in UTC, like 22:00-06:00");
  }
  return {begin, end};
}

std::uint8_t ParseWeekdays(const std::vector<std::string>& names) {
  constexpr std::array<const char*, 7> kNames{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  std::uint8_t weekdays = 0;
  for (const std::string& name : names) {
    std::size_t day = 0;
    while (day < kNames.size() && name != kNames[day]) ++day;
    if (day == kNames.size())
      throw base::ConfigError("'" + name +
                              "' is no day of the week; write mon, tue, wed, thu, fri, sat or sun");
    weekdays = static_cast<std::uint8_t>(weekdays | 1U << day);
  }
  if (weekdays == 0) throw base::ConfigError("weekdays names no day; leave it out for every day");
  return weekdays;
}

}  // namespace flowcast::alert
