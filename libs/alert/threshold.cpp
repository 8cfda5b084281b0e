// Parsing and resolving thresholds and capacities.
#include "libs/alert/threshold.h"

#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "libs/base/error.h"

namespace flowcast::alert {
namespace {

using Factors = std::array<std::pair<std::string_view, double>, 5>;
constexpr Factors kByteUnits{{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}}};
constexpr Factors kBitUnits{{{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}};

/// The number before `unit` starts in `text`, if it is positive; sets `unit` to the rest.
std::optional<double> TakeNumber(const std::string& text, std::string& unit) {
  try {
    std::size_t used = 0;
    const double number = std::stod(text, &used);
    unit = text.substr(used);
    if (std::isfinite(number) && number > 0) return number;
  } catch (const std::exception&) {
  }
  return std::nullopt;
}

std::optional<double> FactorOf(const Factors& factors, const std::string& unit) {
  for (const auto& [name, factor] : factors) {
    if (name == unit) return factor;
  }
  return std::nullopt;
}

template <typename Map>
auto FindOrGeneral(const Map& map, const std::string& link) {
  const auto found = map.find(link);
  return found != map.end() ? found : map.find("");
}

}  // namespace

Threshold Threshold::Parse(const std::string& text) {
  if (text == "p50" || text == "p90" || text == "p95" || text == "p99") return {Kind::kPercentile, 0, text};
  std::string unit;
  if (const auto number = TakeNumber(text, unit)) {
    if (unit.empty()) return {Kind::kNumber, *number, ""};
    if (unit == "%") return {Kind::kShareOfCapacity, *number / 100, ""};
    if (const auto factor = FactorOf(kByteUnits, unit)) return {Kind::kBytes, *number * *factor, ""};
  }
  throw base::ConfigError(
      "'" + text +
      "' is no threshold; write packets a window (100; the same for features other than bytes), bytes a "
      "window (2MB), a share of the "
      "capacity (80%) or a percentile of what the model learned from (p50, p90, p95, p99)");
}

bool Threshold::Fits(const std::string& target) const {
  switch (kind) {
    case Kind::kNumber:
      return target != "bytes";
    case Kind::kBytes:
    case Kind::kShareOfCapacity:
      return target == "bytes";
    case Kind::kPercentile:
      return true;
  }
  return false;
}

void AddCapacity(const std::string& text, Capacities& capacities) {
  const auto equals = text.rfind('=');
  const std::string link = equals == std::string::npos ? "" : text.substr(0, equals);
  std::string unit;
  const auto number = TakeNumber(equals == std::string::npos ? text : text.substr(equals + 1), unit);
  const auto factor = FactorOf(kBitUnits, unit);
  if (!number || !factor) {
    throw base::ConfigError("'" + text +
                            "' is no capacity; write bits a second like 1G or 100M, or LINK=1G for one link");
  }
  capacities[link] = *number * *factor;
}

std::optional<double> Resolve(const Threshold& threshold, const std::string& link,
                              base::Duration window_length, const Capacities& capacities,
                              const PercentilesByLink& percentiles) {
  switch (threshold.kind) {
    case Threshold::Kind::kNumber:
    case Threshold::Kind::kBytes:
      return threshold.value;
    case Threshold::Kind::kShareOfCapacity: {
      const auto capacity = FindOrGeneral(capacities, link);
      if (capacity == capacities.end()) return std::nullopt;
      return threshold.value * capacity->second / 8 * base::ToSeconds(window_length);
    }
    case Threshold::Kind::kPercentile: {
      const auto of_link = FindOrGeneral(percentiles, link);
      if (of_link == percentiles.end()) return std::nullopt;
      const auto value = of_link->second.find(threshold.percentile);
      return value == of_link->second.end() ? std::nullopt : std::optional(value->second);
    }
  }
  return std::nullopt;
}

}  // namespace flowcast::alert
