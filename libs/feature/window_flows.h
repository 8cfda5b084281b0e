// The flows of one link in one window: exactly up to a limit, by sketches beyond it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "libs/base/time.h"
#include "libs/packet/packet.h"

namespace flowcast::feature {

/// What one flow did.
struct FlowSums {
  packet::FlowKey key;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  base::EventTime started = base::kBeginningOfTime;
  base::EventTime last = base::kBeginningOfTime;
};

/// What the features need to know of all flows together.
struct FlowSummary {
  double flows = 0;  // of IP, as all that follows but the entropies' inputs, which are those with ports
  double sources = 0;
  double destinations = 0;
  double top_talker_bytes = 0;
  double mean_duration_s = 0;
  double source_port_entropy = 0;
  double destination_port_entropy = 0;
};

/// A flat table. What it says does not depend on the order of Add nor on how a flow's packets were divided
/// over calls, in any of the sketches either. Beyond the limit of flows:
/// - flows, sources, destinations: HyperLogLog, standard error 0.81 %;
/// - top_talker_bytes: the largest of each of four rows of 2^14 counters by the hash of the address, of
///   these the smallest: never too low, too high by what shares the counter in every row;
/// - mean_duration_s: over a sample of the flows by their hash, at least half the limit of them;
/// - port entropies: exact, there are only 2^16 ports.
/// Memory: below 100 bytes a flow up to the limit, then 1.6 MiB more at most. Not thread-safe.
class WindowFlows {
 public:
  WindowFlows();
  ~WindowFlows();
  WindowFlows(WindowFlows&&) noexcept;
  WindowFlows& operator=(WindowFlows&&) noexcept;

  /// Adds to the sums of the flow of `flow.key`; `limit` is the same at every call.
  void Add(const FlowSums& flow, std::size_t limit);

  FlowSummary Summary() const;
  /// On the heap.
  std::size_t memory_bytes() const;
  bool approximate() const { return sketches_ != nullptr; }

 private:
  struct Sketches;

  void AddToTable(const FlowSums& flow, std::uint64_t hash, std::size_t limit);
  void MakeRoom(const FlowSums& flow, std::uint64_t hash, std::size_t limit);
  void Place();
  std::uint32_t* SlotOf(const packet::FlowKey& key);
  bool IsSampled(std::uint64_t hash) const;

  std::vector<FlowSums> flows_;
  std::vector<std::uint32_t> slots_;  // index + 1 of the flow, 0 where it is empty; none for few flows
  std::unique_ptr<Sketches> sketches_;
};

}  // namespace flowcast::feature
