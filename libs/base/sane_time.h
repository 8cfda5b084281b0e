// Times that can be reckoned with.
#pragma once

#include <cstdint>

namespace flowcast::base {

/// Times and lengths within +-2^62 ns (as times the years 1823 to 2116), so that sums and differences of two
/// do not overflow.
inline bool IsSaneTime(std::int64_t nanoseconds) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;
  return nanoseconds > -kLimit && nanoseconds < kLimit;
}

}  // namespace flowcast::base
