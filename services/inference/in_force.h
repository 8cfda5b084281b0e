// What was in force at which record: lists by `from_offset`, ascending.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace flowcast::services {

/// Null before the first.
template <typename FromOffset>
const FromOffset* InForceAt(std::int64_t offset, const std::vector<FromOffset>& all) {
  const auto after =
      std::upper_bound(all.begin(), all.end(), offset,
                       [](std::int64_t at, const FromOffset& one) { return at < one.from_offset; });
  return after == all.begin() ? nullptr : &*std::prev(after);
}

/// What was over at `offset`.
template <typename FromOffset>
void ForgetBefore(std::int64_t offset, std::vector<FromOffset>& all) {
  while (all.size() > 1 && all[1].from_offset <= offset) all.erase(all.begin());
}

}  // namespace flowcast::services
