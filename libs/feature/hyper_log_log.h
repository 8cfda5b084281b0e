// How many different things there were, from their hashes, in 16 KiB.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace flowcast::feature {

/// HyperLogLog (Flajolet et al., 2007) of 2^14 registers: standard error 1.04 / sqrt(2^14) = 0.81 %, with
/// linear counting below 2.5 * 2^14. Depends on the set of hashes only, not on their order or number.
class HyperLogLog {
 public:
  /// `hash` must have 64 good bits.
  void Add(std::uint64_t hash) {
    const std::uint64_t rest = hash << kBits | (std::uint64_t{1} << (kBits - 1));
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
    std::uint8_t& most = registers_[hash >> (64 - kBits)];
    most = std::max(most, rank);
  }

  double Estimate() const {
    constexpr double kCount = kRegisters;
    std::array<std::uint64_t, 64> with_rank{};
    for (const std::uint8_t rank : registers_) ++with_rank[rank];
    double sum = 0;
    for (std::size_t rank = with_rank.size(); rank-- > 0;)
      sum += std::ldexp(static_cast<double>(with_rank[rank]), -static_cast<int>(rank));
    const double raw = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
    if (raw > 2.5 * kCount || with_rank[0] == 0) return raw;
    return kCount * std::log(kCount / static_cast<double>(with_rank[0]));
  }

 private:
  static constexpr int kBits = 14;
  static constexpr std::size_t kRegisters = std::size_t{1} << kBits;
  std::array<std::uint8_t, kRegisters> registers_{};
};

}  // namespace flowcast::feature
