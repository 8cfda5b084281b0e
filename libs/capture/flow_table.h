// The flows that a source has shown lately, each found again by its key.
#pragma once

#include <cstdint>
#include <vector>

#include "libs/packet/kind.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

/// What is known of a flow, so that a further packet of it costs one look-up.
struct KnownFlow {
  packet::FlowKey key;
  std::uint16_t interface = 0;
  std::uint16_t vlan = 0;

  packet::Kind kind{};
  packet::BatchFlow sent;   // as batches carry it, but for the link's index in the batch
  std::uint32_t link = 0;   // number of the link
  std::uint32_t index = 0;  // in the flows of the batch numbered `batch`
  std::uint64_t batch = 0;  // of its partition; batches are numbered from 1
};

/// A hash table from (interface, VLAN tag, key) to what is known of the flow; open addressing. It
/// forgets everything when it holds kMost flows, so that a scan can't fill the memory. Not thread-safe.
class FlowTable {
 public:
  static constexpr std::size_t kMost = 1 << 16;

  FlowTable() : slots_(kSmallest, kEmpty) {}

  /// The packet's flow; `added` tells that nothing but its key is known. Valid until the next call.
  KnownFlow& Find(const packet::Packet& packet, bool& added);
  std::size_t size() const { return flows_.size(); }

 private:
  static constexpr std::size_t kSmallest = 1024;  // a power of two, as every size is
  static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};

  std::size_t SlotOf(const packet::FlowKey& key, std::uint16_t interface, std::uint16_t vlan) const;
  KnownFlow& Add(const packet::Packet& packet, std::size_t slot);
  void Grow();
  void Clear();

  std::vector<std::uint32_t> slots_;
  std::vector<KnownFlow> flows_;
};

}  // namespace flowcast::capture
