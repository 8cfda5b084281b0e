// Linear probing over flow indexes.
#include "libs/capture/flow_table.h"

#include <algorithm>

namespace flowcast::capture {

std::uint64_t FlowTable::HashOf(const packet::FlowKey& key, std::uint16_t interface, std::uint16_t vlan) {
  const std::uint64_t seen_at = (std::uint64_t{interface} << 16 | vlan) * 0x9e3779b9U;
  return packet::HashForTable(key) + seen_at;
}

std::uint64_t FlowTable::HashOf(const packet::Packet& packet) {
  return HashOf(packet.flow, packet.interface, packet.vlan);
}

KnownFlow& FlowTable::Find(const packet::Packet& packet, std::uint64_t hash, bool& added) {
  std::size_t slot = SlotOf(hash);
  while (slots_[slot] != kEmpty) {
    KnownFlow& flow = flows_[slots_[slot]];
    if (flow.key == packet.flow && flow.interface == packet.interface && flow.vlan == packet.vlan &&
        flow.cast == packet.cast) {
      added = false;
      return flow;
    }
    slot = (slot + 1) & (slots_.size() - 1);
  }
  added = true;
  return Add(packet, hash, slot);
}

KnownFlow& FlowTable::Add(const packet::Packet& packet, std::uint64_t hash, std::size_t slot) {
  if (flows_.size() == kMost) {
    ForgetSilent();
    for (slot = SlotOf(hash); slots_[slot] != kEmpty;) slot = (slot + 1) & (slots_.size() - 1);
  }
  slots_[slot] = static_cast<std::uint32_t>(flows_.size());
  flows_.push_back(
      {.key = packet.flow, .interface = packet.interface, .vlan = packet.vlan, .cast = packet.cast});
  if (flows_.size() * 2 > slots_.size()) {
    slots_.resize(slots_.size() * 2);
    Place();
  }
  return flows_.back();
}

void FlowTable::ForgetSilent() {
  std::vector<base::EventTime> times;
  for (const KnownFlow& flow : flows_) times.push_back(flow.newest);
  const auto middle = times.begin() + kMost / 2;
  std::nth_element(times.begin(), middle, times.end());
  std::erase_if(flows_, [silent = *middle](const KnownFlow& flow) { return flow.newest <= silent; });
  Place();
}

void FlowTable::Place() {
  std::fill(slots_.begin(), slots_.end(), kEmpty);
  for (std::uint32_t index = 0; index < flows_.size(); ++index) {
    const KnownFlow& flow = flows_[index];
    std::size_t slot = SlotOf(HashOf(flow.key, flow.interface, flow.vlan));
    while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = index;
  }
}

}  // namespace flowcast::capture
