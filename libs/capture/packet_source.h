// The seam between where packets come from (files, interfaces, a generator) and the capture service.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

enum class PollState {
  kPackets,  // there may be more at once
  kIdle,     // a live source had nothing for its block time-out
  kEnd,      // nothing will follow
};

/// What a source counted by itself, cumulative. received includes what the kernel or the interface dropped.
struct SourceStatistics {
  std::uint64_t received = 0;
  std::uint64_t filtered = 0;
  std::uint64_t dropped_by_kernel = 0;
  std::uint64_t dropped_by_interface = 0;
  std::uint64_t undecodable = 0;
};

/// Packets in order of arrival. Not thread-safe.
class PacketSource {
 public:
  virtual ~PacketSource() = default;
  /// Appends up to `limit` packets to `packets`; waits at most the source's block time-out.
  virtual PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) = 0;
  /// Names that packet::Packet::interface points into; grows, never shrinks.
  virtual const std::vector<std::string>& interfaces() const = 0;
  /// Packets older than this will not follow, as far as the source itself can know; after kIdle a
  /// live source gives its host clock less its block time-out, a file what it has read. Before the
  /// first packet of a file: base::kBeginningOfTime.
  virtual base::EventTime LowerBound() const = 0;
  /// The host's clock was set back: LowerBound begins anew.
  virtual void TimeWentBack() {}
  virtual SourceStatistics statistics() const = 0;
  /// One line about damage or loss that the user should read, empty when all is well.
  virtual std::string Complaint() const { return ""; }
  /// It ended before its time: a damaged file, an interface that failed.
  virtual bool Failed() const { return false; }
};

}  // namespace flowcast::capture
