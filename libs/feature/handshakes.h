// How long TCP's handshakes of one link in one window took.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/base/time.h"
#include "libs/packet/packet.h"

namespace flowcast::feature {

/// Pairs each SYN with the SYN-ACK of the other direction. One whose SYN was sent again before it was
/// answered tells nothing, since the answer may be to either (Karn's algorithm), and does not count.
/// In order of arrival. Not thread-safe.
class Handshakes {
 public:
  /// Flows beyond this many are not looked at; 16 bytes each, in a table at most half full.
  static constexpr std::size_t kMostFlows = 1 << 16;

  /// A packet with SYN; `repeats` as its mark says.
  void Add(const packet::FlowKey& key, base::EventTime time, bool acknowledges, bool repeats);

  std::uint64_t count() const { return count_; }
  std::uint64_t sum_ns() const { return sum_ns_; }
  std::size_t memory_bytes() const { return sizeof *this + slots_.capacity() * sizeof(Waiting); }
  bool approximate() const { return overflowed_; }

 private:
  struct Waiting {
    std::uint64_t hash = 0;                          // 0: empty
    base::EventTime since = base::kBeginningOfTime;  // when nothing waits
  };
  Waiting& Find(std::uint64_t hash);
  void Grow();

  std::vector<Waiting> slots_;
  std::size_t used_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  bool overflowed_ = false;
};

}  // namespace flowcast::feature
