// What became of the packets that a fold was given.
#pragma once

#include <cstdint>

namespace flowcast::window {

/// Every packet is in exactly one of these: packets_in = in_windows + late + ahead + repeated once all
/// windows are closed. Of windows that overlap, those aligned to their length count.
struct FoldCounters {
  std::uint64_t batches = 0;
  std::uint64_t repeated_batches = 0;  // without anything new
  std::uint64_t repeated_packets = 0;  // had before: a source sent them again
  std::uint64_t missing_packets = 0;   // holes in the sources' sequence numbers
  std::uint64_t packets_in = 0;
  std::uint64_t packets_in_windows = 0;
  std::uint64_t late_packets = 0;
  std::uint64_t ahead_packets =
      0;  // dated far beyond the watermark of their batch: damaged, or a hostile clock
  std::uint64_t windows = 0;
  std::uint64_t sequences = 0;
  std::uint64_t retired_links = 0;
  std::uint64_t restarted_sources = 0;
  std::uint64_t gap_ns = 0;  // event time from their old epochs' watermarks to their new ones' begin
  std::uint64_t vanished_sources = 0;

  FoldCounters& operator+=(const FoldCounters& other);
  FoldCounters& operator-=(const FoldCounters& other);
};

}  // namespace flowcast::window
