// Numbers with units, in and out.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/base/time.h"

namespace flowcast::alert {

using Factors = std::array<std::pair<std::string_view, double>, 5>;

/// The finite number, 0 or more, that `text` begins with; sets `unit` to the rest.
std::optional<double> TakeNumber(const std::string& text, std::string& unit);
std::optional<double> FactorOf(const Factors& factors, const std::string& unit);

/// Three digits: "0.934", "12.5", "340", "12,300".
std::string Digits(double value);
/// "800 Mbit/s".
std::string BitRate(double bits_per_second);
/// So much of a target in one window: "850 Mbit/s" for bytes, "120 packets per 5s", "3.2 ms" for a feature
/// with a unit of its own.
std::string Amount(double value, const std::string& target, base::Duration window_length);

}  // namespace flowcast::alert
