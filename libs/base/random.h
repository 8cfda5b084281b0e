// Random numbers that are the same on every machine and library, for generators and samples.
#pragma once

#include <cmath>
#include <cstdint>

namespace flowcast::base {

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast and repeatable; not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// In [0, bound); `bound` is positive and far below 2^64.
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }
  /// Waiting time with the given mean.
  double Exponential(double mean) { return -mean * std::log1p(-Uniform()); }
  /// Standard normal by Box and Muller; one of the pair is thrown away to keep no state.
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log1p(-Uniform()));
    return radius * std::cos(6.283185307179586 * Uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace flowcast::base
