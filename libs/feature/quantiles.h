// Percentiles of many whole numbers in bounded memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

namespace flowcast::feature {

/// Nearest-rank percentiles. The first kExactValues values are kept as they are, so that percentiles are
/// exact; with more, values are counted in buckets: exactly below 2^(kBits + 1), above that in buckets whose
/// middle is off by at most 2^-(kBits + 1) of the value. What is returned does not depend on the order of
/// Add. Memory: at most 8 KiB and 8 * 2^kBits bytes for each power of two that occurs.
template <typename Value, int kBits>
class Quantiles {
 public:
  static constexpr std::size_t kExactValues = 1024;

  void Add(Value value) {
    if (pages_ != nullptr) return Count(value);
    if (values_.size() == kExactValues) return Spill(value);
    values_.push_back(value);
  }

  /// Whether At may be off.
  bool approximate() const { return pages_ != nullptr && pages_->largest >> (kBits + 1) != 0; }

  /// On the heap.
  std::size_t memory_bytes() const {
    std::size_t bytes = values_.capacity() * sizeof(Value);
    if (pages_ == nullptr) return bytes;
    for (const auto& page : pages_->pages) bytes += page == nullptr ? 0 : sizeof(Page);
    return bytes + sizeof(Pages);
  }

  /// The smallest value that at least `permille` thousandths of the values do not exceed; 0 without values.
  std::uint64_t At(std::uint64_t permille) const {
    if (pages_ != nullptr) return AtInPages((pages_->count * permille + 999) / 1000);
    if (values_.empty()) return 0;
    std::vector<Value> values = values_;
    const std::size_t rank = std::max<std::size_t>((values.size() * permille + 999) / 1000, 1);
    const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
  }

 private:
  static constexpr std::size_t kPageSize = std::size_t{1} << kBits;
  static constexpr std::size_t kPageCount = 8 * sizeof(Value) - kBits + 1;
  using Page = std::array<std::uint64_t, kPageSize>;
  struct Pages {
    std::array<std::unique_ptr<Page>, kPageCount> pages;
    std::uint64_t count = 0;
    std::uint64_t largest = 0;
  };

  void Count(std::uint64_t value) {
    const int shift = std::max(static_cast<int>(std::bit_width(value)) - (kBits + 1), 0);
    const std::size_t bucket = (static_cast<std::size_t>(shift) << kBits) + (value >> shift);
    std::unique_ptr<Page>& page = pages_->pages[bucket >> kBits];
    if (page == nullptr) [[unlikely]] {
      page = std::make_unique<Page>();
    }
    ++(*page)[bucket & (kPageSize - 1)];
    ++pages_->count;
    pages_->largest = std::max(pages_->largest, value);
  }
  void Spill(Value value) {
    pages_ = std::make_unique<Pages>();
    for (const Value kept : values_) Count(kept);
    Count(value);
    values_ = {};
  }
  std::uint64_t AtInPages(std::uint64_t rank) const {
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < kPageCount; ++i) {
      if (pages_->pages[i] == nullptr) continue;
      for (std::size_t j = 0; j < kPageSize; ++j) {
        passed += (*pages_->pages[i])[j];
        if (passed >= rank) return Middle((i << kBits) + j);
      }
    }
    return 0;
  }
  static std::uint64_t Middle(std::size_t bucket) {
    const std::size_t shift = bucket < 2 * kPageSize ? 0 : (bucket >> kBits) - 1;
    const std::uint64_t low = (std::uint64_t{bucket} - (shift << kBits)) << shift;
    return low + ((std::uint64_t{1} << shift) - 1) / 2;
  }

  std::vector<Value> values_;
  std::unique_ptr<Pages> pages_;
};

}  // namespace flowcast::feature
