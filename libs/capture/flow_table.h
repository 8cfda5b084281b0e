// The flows that a source has shown lately, each found again by its key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/capture/known_flow.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

/// A hash table from (interface, VLAN tag, cast, key) to what is known of the flow; open addressing. When it
/// holds kMost flows it forgets the half that was silent longest, so that a scan can't fill the memory;
/// which these are depends on the packets alone. Not thread-safe.
/// It is larger than the processor's nearest caches: who has several packets asks for all of their slots,
/// then for all of their flows, and then finds them, so that memory answers while the others are asked for.
class FlowTable {
 public:
  static constexpr std::size_t kMost = 1 << 16;

  FlowTable() : slots_(kSmallest, kEmpty) {}

  /// Of what a flow is found by; the same for as long as the process lives.
  static std::uint64_t HashOf(const packet::Packet& packet);
  void FetchSlot(std::uint64_t hash) const { __builtin_prefetch(&slots_[SlotOf(hash)]); }
  void FetchFlow(std::uint64_t hash) const {
    const std::uint32_t index = slots_[SlotOf(hash)];
    if (index == kEmpty) return;
    __builtin_prefetch(&flows_[index], 1);
    __builtin_prefetch(&flows_[index].started, 1);
  }

  /// The flow of the packet, whose HashOf `hash` is; `added` tells that nothing but its key is known.
  /// Valid until the next call.
  KnownFlow& Find(const packet::Packet& packet, std::uint64_t hash, bool& added);
  std::size_t size() const { return flows_.size(); }

 private:
  static constexpr std::size_t kSmallest = 1024;  // a power of two, as every size is
  static constexpr std::uint32_t kEmpty = ~std::uint32_t{0};

  static std::uint64_t HashOf(const packet::FlowKey& key, std::uint16_t interface, std::uint16_t vlan);
  std::size_t SlotOf(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  KnownFlow& Add(const packet::Packet& packet, std::uint64_t hash, std::size_t slot);
  void Grow();
  void ForgetSilent();
  void Place();

  std::vector<std::uint32_t> slots_;
  std::vector<KnownFlow> flows_;
};

}  // namespace flowcast::capture
