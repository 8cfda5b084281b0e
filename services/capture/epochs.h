// The epochs of a live source.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/clock.h"
#include "libs/base/log.h"

namespace flowcast::services {

/// Each is later than the one before it, whatever the host's clock says: who reads takes what has an earlier
/// one for sent again.
class Epochs {
 public:
  /// `file` remembers the last one from run to run; empty: nothing does.
  Epochs(std::string file, const base::Clock& clock, base::Log log);
  /// The time by the host's clock, in nanoseconds since the Unix epoch, or one after the last.
  std::uint64_t Next();

 private:
  void Remember() const;

  std::string file_;
  const base::Clock& clock_;
  base::Log log_;
  std::uint64_t last_ = 0;
};

}  // namespace flowcast::services
