// Random draws and functions out of +, -, x, / and square root alone, which IEEE 754 rounds the same
// on every machine; those of libm differ in the last bit between libraries and processors.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "libs/base/random.h"

namespace flowcast::synthetic {

/// The random stream of one purpose of one thing ("noise" of "link3"): none depends on what else
/// the scenario holds.
base::Random StreamOf(std::uint64_t seed, std::string_view thing, std::string_view purpose);

/// e^x within 1e-12 relative, for x from -700 to 700.
double Exp(double x);
/// Natural logarithm of a normal number above 0, within 1e-14 relative or absolute.
double Log(double x);
/// sin(2 pi turns) within 1e-14, for less than 1e9 turns either way.
double SinTurns(double turns);
/// Less its whole part; in [0, 1) also for negative numbers. Less than 1e9 either way.
double Fraction(double x);

/// Two independent standard normal draws, by Marsaglia's polar method.
std::pair<double, double> NormalPair(base::Random& random);

/// Exponential draws of mean 1 by the ziggurat of Marsaglia and Tsang (2000) with 256 layers: one
/// random number, one look-up and one multiplication in 98.9 % of the cases.
class Exponential {
 public:
  Exponential();

  double operator()(base::Random& random) const {
    const std::uint64_t bits = random.Next();
    const std::size_t layer = bits & 255;
    const std::uint64_t position = bits >> 11;  // 53 bits, so that it is a double without rounding
    const double x = static_cast<double>(position) * width_[layer];
    return position < inside_[layer] ? x : Rest(random, layer, x);
  }

 private:
  double Rest(base::Random& random, std::size_t layer, double x) const;

  std::array<std::uint64_t, 256> inside_{};  // positions below this are under the curve
  std::array<double, 256> width_{};          // of a layer, by 2^-53
  std::array<double, 256> height_{};         // e^-x at the layer's right end
};

/// The one table, built at first use.
const Exponential& ExponentialTable();

}  // namespace flowcast::synthetic
