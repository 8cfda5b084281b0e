// A float of 16 bits, for what is kept by the thousand and need not be exact.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace flowcast::forecast {

/// The upper half of a float ("brain floating point"), rounded to nearest: its range, relative precision
/// 2^-9. 0, the infinities and not-a-number stay what they are.
class Brief {
 public:
  Brief() = default;
  Brief(float value) : bits_(Round(value)) {}  // NOLINT(google-explicit-constructor): it is a float
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits_} << 16U); }  // NOLINT: as above

 private:
  static std::uint16_t Round(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return 0x7fc0;
    return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
  }

  std::uint16_t bits_ = 0;
};

}  // namespace flowcast::forecast
