// Doubling without overflow.
#include "libs/notify/backoff.h"

#include <algorithm>
#include <cmath>

namespace flowcast::notify {

base::Duration Backoff::AfterFailure() {
  constexpr int kMostDoublings = 30;
  const int doublings = std::min(failures_, kMostDoublings);
  ++failures_;
  const double ceiling = std::min(std::ldexp(static_cast<double>(options_.first.count()), doublings),
                                  static_cast<double>(options_.most.count()));
  return base::Duration(static_cast<std::int64_t>(ceiling * random_.Uniform()));
}

}  // namespace flowcast::notify
