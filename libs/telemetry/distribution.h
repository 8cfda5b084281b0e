// How often values lay where: what Prometheus calls a histogram.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace flowcast::telemetry {

/// Not thread-safe.
class Distribution {
 public:
  Distribution() = default;
  /// `bounds` ascend; a value counts for the first that is not below it, and beyond the last one for none.
  explicit Distribution(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  /// What is below 0 counts as 0: sums must not fall.
  void Add(double value) {
    const double counted = std::max(value, 0.0);
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), counted);
    ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
    sum_ += counted;
  }

  const std::vector<double>& bounds() const { return bounds_; }
  /// By bound, those below the one before left out; the last is of what lies beyond.
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  double sum() const { return sum_; }
  bool operator==(const Distribution&) const = default;

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_{0};
  double sum_ = 0;
};

}  // namespace flowcast::telemetry
