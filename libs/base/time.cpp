// Formatting and parsing of times and durations.
#include "libs/base/time.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "libs/base/error.h"

namespace flowcast::base {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 7> kUnits{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

std::string Fraction(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "";
  char text[16];
  if (nanoseconds % 1'000'000 == 0) {
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(nanoseconds / 1'000'000));
  } else if (nanoseconds % 1'000 == 0) {
    std::snprintf(text, sizeof text, ".%06d", static_cast<int>(nanoseconds / 1'000));
  } else {
    std::snprintf(text, sizeof text, ".%09d", static_cast<int>(nanoseconds));
  }
  return text;
}

}  // namespace

std::string FormatTime(EventTime time) {
  const auto second = AlignDown(time, std::chrono::seconds(1));
  const std::time_t seconds = static_cast<std::time_t>(ToUnixNanoseconds(second) / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return text + Fraction((time - second).count()) + "Z";
}

Duration ParseDuration(const std::string& text) {
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  for (const Unit& unit : kUnits) {
    if (used == 0 || text.substr(used) != unit.name || !(number > 0)) continue;
    const double nanoseconds = std::round(number * static_cast<double>(unit.nanoseconds));
    if (nanoseconds < 1 || nanoseconds > 9e18) break;
    return Duration(static_cast<std::int64_t>(nanoseconds));
  }
  throw ConfigError("'" + text +
                    "' is no duration; write a positive number and its unit, like 250ms, 5s or 1h");
}

std::string FormatDuration(Duration duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() % unit.nanoseconds != 0 || duration.count() == 0) continue;
    return std::to_string(duration.count() / unit.nanoseconds) + std::string(unit.name);
  }
  return "0s";
}

}  // namespace flowcast::base
