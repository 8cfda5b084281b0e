// Series for the functions, tables for the draws.
#include "libs/synthetic/arithmetic.h"

#include <bit>
#include <cmath>

#include "libs/base/hash.h"

namespace flowcast::synthetic {
namespace {

constexpr double kLn2 = 0.693147180559945309417;
constexpr double kTwoPi = 6.283185307179586476925;

/// Sine of an angle within [-pi/2, pi/2], by its Taylor series.
double SinSeries(double x) {
  const double square = x * x;
  double term = x;
  double sum = x;
  for (int n = 2; n <= 22; n += 2) {
    term *= -square / (n * (n + 1));
    sum += term;
  }
  return sum;
}

/// x times 2^exponent, exactly.
double Scale(double x, std::int64_t exponent) {
  return x * std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}

}  // namespace

base::Random StreamOf(std::uint64_t seed, std::string_view thing, std::string_view purpose) {
  const std::uint64_t name =
      base::Fnv1a64(purpose, base::Fnv1a64(std::string_view("\0", 1), base::Fnv1a64(thing)));
  return base::Random(base::Random(name ^ base::Random(seed).Next()).Next());
}

double Exp(double x) {
  const auto twos = static_cast<std::int64_t>(x / kLn2 + (x < 0 ? -0.5 : 0.5));
  const double rest = x - static_cast<double>(twos) * kLn2;
  double term = 1;
  double sum = 1;
  for (int n = 1; n <= 16; ++n) {
    term *= rest / n;
    sum += term;
  }
  return Scale(sum, twos);
}

double Log(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
  if (mantissa > 1.4142135623730951) {
    mantissa /= 2;
    ++exponent;
  }
  // log m = 2 artanh((m - 1) / (m + 1)), whose argument is below 0.172.
  const double ratio = (mantissa - 1) / (mantissa + 1);
  const double square = ratio * ratio;
  double sum = 0;
  for (int n = 19; n >= 1; n -= 2) sum = sum * square + 1.0 / n;
  return static_cast<double>(exponent) * kLn2 + 2 * ratio * sum;
}

double Fraction(double x) {
  const double rest = x - static_cast<double>(static_cast<std::int64_t>(x));
  return rest < 0 ? rest + 1 : rest;
}

double SinTurns(double turns) {
  double rest = Fraction(turns);
  if (rest > 0.5) return -SinTurns(rest - 0.5);
  if (rest > 0.25) rest = 0.5 - rest;
  return SinSeries(kTwoPi * rest);
}

std::pair<double, double> NormalPair(base::Random& random) {
  while (true) {
    const double x = 2 * random.Uniform() - 1;
    const double y = 2 * random.Uniform() - 1;
    const double square = x * x + y * y;
    if (square >= 1 || square == 0) continue;
    const double scale = std::sqrt(-2 * Log(square) / square);  // correctly rounded, unlike libm's others
    return {x * scale, y * scale};
  }
}

Exponential::Exponential() {
  constexpr double kRight = 7.69711747013104972;  // where the tail begins
  constexpr double kArea = 3.949659822581557e-3;  // of every layer
  constexpr double kSteps = 9007199254740992;     // 2^53
  const double bottom = kArea / Exp(-kRight);     // the lowest layer with its tail, as a box
  double right = kRight;
  double before = kRight;
  inside_[0] = static_cast<std::uint64_t>(kRight / bottom * kSteps);
  inside_[1] = 0;
  width_[0] = bottom / kSteps;
  width_[255] = right / kSteps;
  height_[0] = 1;
  height_[255] = Exp(-right);
  for (std::size_t i = 254; i >= 1; --i) {
    right = -Log(kArea / right + Exp(-right));
    inside_[i + 1] = static_cast<std::uint64_t>(right / before * kSteps);
    before = right;
    height_[i] = Exp(-right);
    width_[i] = right / kSteps;
  }
}

double Exponential::Rest(base::Random& random, std::size_t layer, double x) const {
  if (layer == 0) return 7.69711747013104972 + (*this)(random);  // the tail looks like the whole
  const double height = height_[layer] + random.Uniform() * (height_[layer - 1] - height_[layer]);
  return height < Exp(-x) ? x : (*this)(random);
}

const Exponential& ExponentialTable() {
  static const Exponential table;
  return table;
}

}  // namespace flowcast::synthetic
