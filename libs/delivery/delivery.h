// The way of a capture's batches to the bus, and what became of the packets in them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "libs/base/time.h"

namespace flowcast::delivery {

inline constexpr base::Duration kSayEvery = std::chrono::seconds(10);  // that the bus is away

/// Packets given to Send; sent = acknowledged + waiting + dropped_by_queue + dropped_by_spool.
struct Counters {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t waiting = 0;           // in the producer's queue or in the spool
  std::uint64_t dropped_by_queue = 0;  // the queue was full and there is no spool
  std::uint64_t dropped_by_spool = 0;  // the spool was full, or lost them
  std::uint64_t inherited = 0;         // not among those above: an earlier run's that still wait
};

/// Not thread-safe.
class Delivery {
 public:
  virtual ~Delivery() = default;
  /// In order within a partition. Throws bus::BusError when the bus has refused something for good.
  virtual void Send(std::int32_t partition, std::string bytes, std::uint64_t packets) = 0;
  /// Moves what waits along; to be called often. Throws as Send.
  virtual void Pump() = 0;
  /// To be called at the end: true when nothing waits any more, also of an earlier run's. Throws as Send.
  virtual bool Finish() = 0;
  virtual Counters counters() const = 0;
};

}  // namespace flowcast::delivery
