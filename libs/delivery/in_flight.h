// The batches that a producer has taken and not acknowledged yet, in order.
#pragma once

#include <cstdint>
#include <deque>

#include "libs/bus/bus.h"

namespace flowcast::delivery {

struct Sent {
  std::uint64_t packets = 0;
  std::uint64_t number = 0;  // in the journal, 0 without one
  bool inherited = false;    // from an earlier run
};

/// Follows one producer from its first record on.
class InFlight {
 public:
  void Add(const Sent& sent) { sent_.push_back(sent); }
  bool empty() const { return sent_.empty(); }

  /// Calls `take` with each batch that was acknowledged since the last call.
  template <typename Take>
  void Collect(const bus::Producer& producer, const Take& take) {
    for (const std::uint64_t now = producer.acknowledged(); acknowledged_ < now; ++acknowledged_) {
      take(sent_.front());
      sent_.pop_front();
    }
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Sent& sent : sent_) visit(sent);
  }
  /// Gives up on those that are left.
  template <typename Take>
  void Abandon(const Take& take) {
    for (; !sent_.empty(); sent_.pop_front()) take(sent_.front());
  }

 private:
  std::deque<Sent> sent_;
  std::uint64_t acknowledged_ = 0;
};

}  // namespace flowcast::delivery
