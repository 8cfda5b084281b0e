// Parsing and resolving thresholds.
#include "libs/alert/threshold.h"

#include <cstdio>

#include "libs/alert/quantity.h"
#include "libs/base/error.h"

namespace flowcast::alert {
namespace {

constexpr Factors kByteUnits{{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}}};

template <typename Map>
auto FindOrGeneral(const Map& map, const std::string& link) {
  const auto found = map.find(link);
  return found != map.end() ? found : map.find("");
}

}  // namespace

Threshold Threshold::Parse(const std::string& text) {
  if (text == "p50" || text == "p90" || text == "p95" || text == "p99") return {Kind::kPercentile, 0, text};
  std::string unit;
  const auto number = TakeNumber(text, unit);
  if (number && *number > 0) {
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

std::string Threshold::Text() const {
  char text[40];
  const double shown = kind == Kind::kShareOfCapacity ? 100 * value : value;
  std::snprintf(text, sizeof text, "%.10g", shown);
  switch (kind) {
    case Kind::kNumber:
      return text;
    case Kind::kBytes:
      return std::string(text) + "B";
    case Kind::kShareOfCapacity:
      return std::string(text) + "%";
    case Kind::kPercentile:
      return percentile;
  }
  return "";
}

std::optional<double> Resolve(const Threshold& threshold, const std::string& link,
                              base::Duration window_length, const Capacities& capacities,
                              const PercentilesByLink& percentiles) {
  switch (threshold.kind) {
    case Threshold::Kind::kNumber:
    case Threshold::Kind::kBytes:
      return threshold.value;
    case Threshold::Kind::kShareOfCapacity: {
      const auto capacity = capacities.Of(link);
      if (!capacity) return std::nullopt;
      return threshold.value * *capacity / 8 * base::ToSeconds(window_length);
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
