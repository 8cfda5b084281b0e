// Linear probing over flow indexes.
#include "libs/capture/flow_table.h"

#include <algorithm>

namespace flowcast::capture {

std::size_t FlowTable::SlotOf(const packet::FlowKey& key, std::uint16_t interface, std::uint16_t vlan) const {
  const std::size_t seen_at = (std::size_t{interface} << 16 | vlan) * 0x9e3779b9U;
  return (packet::FlowKeyHash{}(key) + seen_at) & (slots_.size() - 1);
}

KnownFlow& FlowTable::Find(const packet::Packet& packet, bool& added) {
  std::size_t slot = SlotOf(packet.flow, packet.interface, packet.vlan);
  while (slots_[slot] != kEmpty) {
    KnownFlow& flow = flows_[slots_[slot]];
    if (flow.key == packet.flow && flow.interface == packet.interface && flow.vlan == packet.vlan) {
      added = false;
      return flow;
    }
    slot = (slot + 1) & (slots_.size() - 1);
  }
  added = true;
  return Add(packet, slot);
}

KnownFlow& FlowTable::Add(const packet::Packet& packet, std::size_t slot) {
  if (flows_.size() == kMost) {
    Clear();
    slot = SlotOf(packet.flow, packet.interface, packet.vlan);
  }
  slots_[slot] = static_cast<std::uint32_t>(flows_.size());
  flows_.push_back({.key = packet.flow, .interface = packet.interface, .vlan = packet.vlan});
  if (flows_.size() * 2 > slots_.size()) Grow();
  return flows_.back();
}

void FlowTable::Clear() {
  std::fill(slots_.begin(), slots_.end(), kEmpty);
  flows_.clear();
}

void FlowTable::Grow() {
  slots_.assign(slots_.size() * 2, kEmpty);
  for (std::uint32_t index = 0; index < flows_.size(); ++index) {
    const KnownFlow& flow = flows_[index];
    std::size_t slot = SlotOf(flow.key, flow.interface, flow.vlan);
    while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = index;
  }
}

}  // namespace flowcast::capture
