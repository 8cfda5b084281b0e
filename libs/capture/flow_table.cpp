// Linear probing over flow indexes.
#include "libs/capture/flow_table.h"

#include <algorithm>

namespace flowcast::capture {

std::size_t FlowTable::SlotOf(const packet::BatchFlow& flow) const {
  return (packet::FlowKeyHash{}(flow.key) + std::size_t{flow.link} * 0x9e3779b9U) & (slots_.size() - 1);
}

std::uint32_t FlowTable::FindOrAdd(std::uint32_t link, const packet::FlowKey& key,
                                   std::vector<packet::BatchFlow>& flows) {
  const packet::BatchFlow wanted{link, key};
  std::size_t slot = SlotOf(wanted);
  while (slots_[slot] != kEmpty) {
    if (flows[slots_[slot]] == wanted) return slots_[slot];
    slot = (slot + 1) & (slots_.size() - 1);
  }
  const auto index = static_cast<std::uint32_t>(flows.size());
  flows.push_back(wanted);
  slots_[slot] = index;
  if (++used_ * 2 > slots_.size()) Grow(flows);
  return index;
}

void FlowTable::Clear() {
  std::fill(slots_.begin(), slots_.end(), kEmpty);
  used_ = 0;
}

void FlowTable::Grow(const std::vector<packet::BatchFlow>& flows) {
  slots_.assign(slots_.size() * 2, kEmpty);
  for (std::uint32_t index = 0; index < flows.size(); ++index) {
    std::size_t slot = SlotOf(flows[index]);
    while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = index;
  }
}

}  // namespace flowcast::capture
