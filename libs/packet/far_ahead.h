// Packets whose clock must be wrong.
#pragma once

#include "libs/base/time.h"

namespace flowcast::packet {

/// Whether a packet is dated more than an hour after what is known of its source's time: by itself it then
/// says nothing about that, and a window that it opened would stay open until its time comes. Nothing is
/// far ahead of base::kBeginningOfTime.
inline bool IsFarAhead(base::EventTime time, base::EventTime known) {
  return known != base::kBeginningOfTime && time - std::chrono::hours(1) > known;
}

}  // namespace flowcast::packet
