// The table of flows, its sketches, and what is computed from either.
#include "libs/feature/window_flows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>

#include "libs/base/uint128.h"
#include "libs/feature/hyper_log_log.h"

namespace flowcast::feature {
namespace {

constexpr std::size_t kScanned = 8;  // as few flows are found without a table
constexpr std::size_t kPorts = 1 << 16;
constexpr std::size_t kRows = 4;
constexpr std::size_t kRowBits = 14;

bool HasPorts(const packet::FlowKey& key) {
  const auto protocol = static_cast<packet::Protocol>(key.protocol);
  return protocol == packet::Protocol::kTcp || protocol == packet::Protocol::kUdp ||
         protocol == packet::Protocol::kSctp;
}

std::uint64_t HashOf(const base::IpAddress& address) { return packet::FlowKeyHash{}({.source = address}); }

/// Sum of -p log2 p. Equal counts are taken together and the others in ascending order, so that the last
/// digit is the same however they were found.
class Entropy {
 public:
  void Add(std::uint64_t count) {
    total_ += count;
    if (count < small_.size()) {
      ++small_[count];
    } else {
      large_.push_back(count);
    }
  }
  double Bits() {
    double bits = 0;
    for (std::size_t count = 1; count < small_.size(); ++count) {
      if (small_[count] > 0) bits += static_cast<double>(small_[count]) * Term(count);
    }
    std::sort(large_.begin(), large_.end());
    for (const std::uint64_t count : large_) bits += Term(count);
    return std::max(bits, 0.0);
  }

 private:
  double Term(std::uint64_t count) const {
    const double share = static_cast<double>(count) / static_cast<double>(total_);
    return -share * std::log2(share);
  }
  std::uint64_t total_ = 0;
  std::array<std::uint64_t, 256> small_{};
  std::vector<std::uint64_t> large_;
};

/// Sums by key, in a table of its own; the keys are those of items [0, count).
template <typename KeyOf, typename HashOfKey, typename AmountOf>
std::vector<std::uint64_t> SumsByKey(std::span<const FlowSums> flows, const KeyOf& key_of,
                                     const HashOfKey& hash_of, const AmountOf& amount_of) {
  std::size_t size = 16;
  while (size < 2 * flows.size()) size *= 2;
  struct Slot {
    std::uint32_t flow = 0;  // + 1
    std::uint32_t sum = 0;
  };
  std::vector<Slot> slots(size);
  std::vector<std::uint64_t> sums;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const auto& key = key_of(flows[i]);
    std::size_t at = hash_of(key) & (size - 1);
    while (slots[at].flow != 0 && !(key_of(flows[slots[at].flow - 1]) == key)) at = (at + 1) & (size - 1);
    if (slots[at].flow == 0) {
      slots[at] = {static_cast<std::uint32_t>(i + 1), static_cast<std::uint32_t>(sums.size())};
      sums.push_back(0);
    }
    sums[slots[at].sum] += amount_of(flows[i]);
  }
  return sums;
}

double EntropyOf(std::span<const FlowSums> flows, std::uint16_t packet::FlowKey::*port) {
  const auto key_of = [port](const FlowSums& flow) { return flow.key.*port; };
  const auto hash_of = [](std::uint16_t value) { return std::uint64_t{value} * 0x9e3779b97f4a7c15U >> 40; };
  const auto packets_of = [](const FlowSums& flow) { return HasPorts(flow.key) ? flow.packets : 0; };
  Entropy entropy;
  for (const std::uint64_t count : SumsByKey(flows, key_of, hash_of, packets_of)) {
    if (count > 0) entropy.Add(count);
  }
  return entropy.Bits();
}

double EntropyOf(std::span<const std::uint64_t> counts) {
  Entropy entropy;
  for (const std::uint64_t count : counts) {
    if (count > 0) entropy.Add(count);
  }
  return entropy.Bits();
}

double MeanDuration(std::span<const FlowSums> flows) {
  std::int64_t count = 0;
  base::Uint128 sum = 0;
  for (const FlowSums& flow : flows) {
    if (flow.key.source.version == 0) continue;
    ++count;
    sum += static_cast<std::uint64_t>(std::max(flow.last - flow.started, base::Duration::zero()).count());
  }
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count) * 1e-9;
}

}  // namespace

struct WindowFlows::Sketches {
  HyperLogLog flows, sources, destinations;
  std::array<std::array<std::uint64_t, std::size_t{1} << kRowBits>, kRows> bytes_by_source{};
  std::array<std::uint64_t, kPorts> source_ports{}, destination_ports{};
  int sample_bits = 0;  // flows whose hash begins with so many zeros are sampled

  void Add(const FlowSums& flow, std::uint64_t hash) {
    if (HasPorts(flow.key)) {
      source_ports[flow.key.source_port] += flow.packets;
      destination_ports[flow.key.destination_port] += flow.packets;
    }
    if (flow.key.source.version == 0) return;
    flows.Add(hash);
    destinations.Add(HashOf(flow.key.destination));
    const std::uint64_t source = HashOf(flow.key.source);
    sources.Add(source);
    for (std::size_t row = 0; row < kRows; ++row)
      bytes_by_source[row][source >> (16 * row) & ((1 << kRowBits) - 1)] += flow.bytes;
  }
  std::uint64_t TopTalkerBytes() const {
    std::uint64_t least = ~std::uint64_t{0};
    for (const auto& row : bytes_by_source)
      least = std::min(least, *std::max_element(row.begin(), row.end()));
    return least;
  }
};

WindowFlows::WindowFlows() = default;
WindowFlows::~WindowFlows() = default;
WindowFlows::WindowFlows(WindowFlows&&) noexcept = default;
WindowFlows& WindowFlows::operator=(WindowFlows&&) noexcept = default;

void WindowFlows::Add(const FlowSums& flow, std::size_t limit) {
  const std::uint64_t hash = packet::FlowKeyHash{}(flow.key);
  if (sketches_ != nullptr) {
    sketches_->Add(flow, hash);
    if (!IsSampled(hash)) return;
  }
  AddToTable(flow, hash, limit);
}

void WindowFlows::AddToTable(const FlowSums& flow, std::uint64_t hash, std::size_t limit) {
  FlowSums* found = nullptr;
  std::uint32_t* slot = nullptr;
  if (slots_.empty()) {
    for (FlowSums& known : flows_) {
      if (known.key == flow.key) found = &known;
    }
  } else {
    slot = SlotOf(flow.key);
    if (*slot != 0) found = &flows_[*slot - 1];
  }
  if (found != nullptr) {
    found->packets += flow.packets;
    found->bytes += flow.bytes;
    found->started = std::max(found->started, flow.started);
    found->last = std::max(found->last, flow.last);
    return;
  }
  if (flows_.size() >= limit) {
    MakeRoom(flow, hash, limit);
    if (!IsSampled(hash)) return;
    if (slot != nullptr) slot = SlotOf(flow.key);
  }
  flows_.push_back(flow);
  if (slot != nullptr) *slot = static_cast<std::uint32_t>(flows_.size());
  if (flows_.size() > std::max(kScanned, slots_.size() / 2)) {
    slots_.resize(std::max(2 * slots_.size(), 4 * kScanned));
    Place();
  }
}

/// For one flow more. The sample is what it would be in any other order of the same flows.
void WindowFlows::MakeRoom(const FlowSums& flow, std::uint64_t hash, std::size_t limit) {
  if (sketches_ == nullptr) {
    sketches_ = std::make_unique<Sketches>();
    for (const FlowSums& known : flows_) sketches_->Add(known, packet::FlowKeyHash{}(known.key));
    sketches_->Add(flow, hash);
  }
  while (flows_.size() + IsSampled(hash) > limit && sketches_->sample_bits < 63) {
    ++sketches_->sample_bits;
    std::erase_if(flows_,
                  [this](const FlowSums& known) { return !IsSampled(packet::FlowKeyHash{}(known.key)); });
  }
  Place();
}

void WindowFlows::Place() {
  if (slots_.empty()) return;
  std::fill(slots_.begin(), slots_.end(), 0);
  for (std::size_t i = 0; i < flows_.size(); ++i) *SlotOf(flows_[i].key) = static_cast<std::uint32_t>(i + 1);
}

std::uint32_t* WindowFlows::SlotOf(const packet::FlowKey& key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = packet::HashForTable(key) & mask;
  while (slots_[at] != 0 && !(flows_[slots_[at] - 1].key == key)) at = (at + 1) & mask;
  return &slots_[at];
}

bool WindowFlows::IsSampled(std::uint64_t hash) const {
  return sketches_->sample_bits == 0 || hash >> (64 - sketches_->sample_bits) == 0;
}

std::size_t WindowFlows::memory_bytes() const {
  return flows_.capacity() * sizeof(FlowSums) + slots_.capacity() * sizeof(std::uint32_t) +
         (sketches_ == nullptr ? 0 : sizeof(Sketches));
}

FlowSummary WindowFlows::Summary() const {
  FlowSummary summary{.mean_duration_s = MeanDuration(flows_)};
  if (sketches_ != nullptr) {
    summary.flows = sketches_->flows.Estimate();
    summary.sources = sketches_->sources.Estimate();
    summary.destinations = sketches_->destinations.Estimate();
    summary.top_talker_bytes = static_cast<double>(sketches_->TopTalkerBytes());
    summary.source_port_entropy = EntropyOf(sketches_->source_ports);
    summary.destination_port_entropy = EntropyOf(sketches_->destination_ports);
    return summary;
  }
  const auto not_ip = [](const FlowSums& flow) { return flow.key.source.version == 0; };
  summary.source_port_entropy = EntropyOf(flows_, &packet::FlowKey::source_port);
  summary.destination_port_entropy = EntropyOf(flows_, &packet::FlowKey::destination_port);
  std::vector<FlowSums> without_others;
  std::span<const FlowSums> ip(flows_);
  if (std::any_of(flows_.begin(), flows_.end(), not_ip)) {
    std::remove_copy_if(flows_.begin(), flows_.end(), std::back_inserter(without_others), not_ip);
    ip = without_others;
  }
  const auto source_of = [](const FlowSums& flow) -> const base::IpAddress& { return flow.key.source; };
  const auto destination_of = [](const FlowSums& flow) -> const base::IpAddress& {
    return flow.key.destination;
  };
  const auto bytes_of = [](const FlowSums& flow) { return flow.bytes; };
  const auto bytes_by_source = SumsByKey(ip, source_of, HashOf, bytes_of);
  summary.flows = static_cast<double>(ip.size());
  summary.sources = static_cast<double>(bytes_by_source.size());
  summary.destinations = static_cast<double>(SumsByKey(ip, destination_of, HashOf, bytes_of).size());
  const auto most = std::max_element(bytes_by_source.begin(), bytes_by_source.end());
  if (most != bytes_by_source.end()) summary.top_talker_bytes = static_cast<double>(*most);
  return summary;
}

}  // namespace flowcast::feature
