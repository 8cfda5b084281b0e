// How long to wait after a failure.
#pragma once

#include "libs/base/random.h"
#include "libs/base/time.h"

namespace flowcast::notify {

struct BackoffOptions {
  base::Duration first = std::chrono::seconds(1);
  base::Duration most = std::chrono::seconds(60);
};

/// Exponential with full jitter: after the n-th failure in a row anything from 0 to first x 2^(n-1), which
/// is at most `most`, is as likely; so those that failed together do not come back together.
class Backoff {
 public:
  Backoff(const BackoffOptions& options, std::uint64_t seed) : options_(options), random_(seed) {}

  base::Duration AfterFailure();
  void AfterSuccess() { failures_ = 0; }

 private:
  BackoffOptions options_;
  base::Random random_;
  int failures_ = 0;  // in a row
};

}  // namespace flowcast::notify
