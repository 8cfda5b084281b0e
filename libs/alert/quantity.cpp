// Units of targets and rates.
#include "libs/alert/quantity.h"

#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "libs/base/text.h"
#include "libs/feature/catalogue.h"

namespace flowcast::alert {
namespace {

/// Of a feature of the catalogue; empty for others.
std::string UnitOf(const std::string& target) {
  const auto index = feature::FindFeature(target);
  return index ? std::string(feature::Catalogue()[*index].unit) : "";
}

}  // namespace

std::optional<double> TakeNumber(const std::string& text, std::string& unit) {
  try {
    std::size_t used = 0;
    const double number = std::stod(text, &used);
    unit = text.substr(used);
    if (std::isfinite(number) && number >= 0) return number;
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

std::string Digits(double value) {
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e15) {
    const std::string grouped = base::Grouped(static_cast<std::uint64_t>(std::llround(size)));
    return value < 0 ? std::string("-").append(grouped) : grouped;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

std::string BitRate(double bits_per_second) {
  constexpr std::pair<double, const char*> kUnits[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& [factor, letter] : kUnits) {
    if (bits_per_second >= factor) return Digits(bits_per_second / factor) + " " + letter + "bit/s";
  }
  return Digits(bits_per_second) + " bit/s";
}

std::string Amount(double value, const std::string& target, base::Duration window_length) {
  const double rate = 8 * value / base::ToSeconds(window_length);
  const std::string unit = UnitOf(target);
  if (target == "bytes") return BitRate(rate);
  if (target == "uplink_bytes" || target == "downlink_bytes") return BitRate(rate) + " of " + target;
  if (unit == "bit/s") return BitRate(value);
  if (unit == "packets" || unit == "flows" || unit == "addresses")
    return Digits(value) + " " + target + " per " + base::FormatDuration(window_length);
  const bool has_unit = unit == "s" || unit == "bytes" || unit == "packets/s" || unit == "bit";
  return Digits(value) + (has_unit ? " " + unit + " of " : " ") + target;
}

}  // namespace flowcast::alert
