// The features' formulas; docs/features.md numbers them.
#include "libs/feature/accumulator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

namespace flowcast::feature {
namespace {

using packet::Direction;
using packet::Protocol;

enum ProtocolClass : std::size_t { kTcp, kUdp, kIcmp, kOther, kClassCount };

ProtocolClass ClassOf(const packet::FlowKey& key) {
  switch (static_cast<Protocol>(key.protocol)) {
    case Protocol::kTcp:
      return kTcp;
    case Protocol::kUdp:
      return kUdp;
    case Protocol::kIcmp:
    case Protocol::kIcmp6:
      return kIcmp;
    default:
      return kOther;
  }
}

bool HasPorts(const packet::FlowKey& key) {
  const auto protocol = static_cast<Protocol>(key.protocol);
  return protocol == Protocol::kTcp || protocol == Protocol::kUdp || protocol == Protocol::kSctp;
}

/// sqrt(n * squares - sum^2) / n, exact up to the last step.
double StandardDeviation(std::uint64_t count, std::uint64_t sum, base::Uint128 squares) {
  if (count == 0) return 0;
  const auto spread = squares * count - static_cast<base::Uint128>(sum) * sum;
  return std::sqrt(static_cast<double>(spread)) / static_cast<double>(count);
}

/// Shannon entropy in bits; the counts are summed in ascending order so that the last digit is
/// the same however they were found.
double Entropy(const std::map<std::uint16_t, std::uint64_t>& counts_by_port) {
  std::vector<std::uint64_t> counts;
  std::uint64_t total = 0;
  for (const auto& [port, count] : counts_by_port) {
    counts.push_back(count);
    total += count;
  }
  std::sort(counts.begin(), counts.end());
  double entropy = 0;
  for (const std::uint64_t count : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(total);
    entropy -= share * std::log2(share);
  }
  return std::max(entropy, 0.0);
}

void SetCalendar(base::EventTime start, FeatureVector& features) {
  constexpr double kTurn = 2 * std::numbers::pi;
  const auto day = base::AlignDown(start, std::chrono::hours(24));
  const double hour_angle = kTurn * base::ToSeconds(start - day) / 86'400.0;
  const std::chrono::weekday weekday{std::chrono::floor<std::chrono::days>(day)};
  const double day_angle = kTurn * static_cast<double>(weekday.iso_encoding() - 1) / 7.0;
  features[kHourSin] = std::sin(hour_angle);
  features[kHourCos] = std::cos(hour_angle);
  features[kWeekdaySin] = std::sin(day_angle);
  features[kWeekdayCos] = std::cos(day_angle);
}

}  // namespace

void Accumulator::AddPacket(base::EventTime time, std::uint32_t wire_length_bytes, base::Duration burst_gap) {
  if (packets_ > 0) {
    const auto gap = std::max(time - last_time_, base::Duration::zero());
    const auto gap_ns = static_cast<std::uint64_t>(gap.count());
    ++gaps_;
    gap_ns_ += gap_ns;
    squared_gap_ns_ += static_cast<base::Uint128>(gap_ns) * gap_ns;
    burst_packets_ += gap < burst_gap ? 1 : 0;
  }
  last_time_ = time;
  ++packets_;
  bytes_ += wire_length_bytes;
  squared_bytes_ += base::Uint128{wire_length_bytes} * wire_length_bytes;
}

void Accumulator::AddFlow(const packet::FlowKey& key, packet::Direction direction, std::uint64_t packets,
                          std::uint64_t bytes, std::uint64_t syns) {
  FlowSums& sums = flows_[key];
  sums.packets += packets;
  sums.bytes += bytes;
  sums.syns += syns;
  sums.direction = direction;
}

FeatureVector Accumulator::Features(base::EventTime start, base::Duration length,
                                    const FeatureOptions& options) const {
  FeatureVector features{};
  const double seconds = base::ToSeconds(length);
  features[kPackets] = static_cast<double>(packets_);
  features[kBytes] = static_cast<double>(bytes_);
  features[kPacketRate] = static_cast<double>(packets_) / seconds;
  features[kBitRate] = 8.0 * static_cast<double>(bytes_) / seconds;
  SetSizesAndGaps(length, features);
  SetProtocols(features);
  SetFlows(options, features);
  SetCalendar(start, features);
  return features;
}

void Accumulator::SetSizesAndGaps(base::Duration length, FeatureVector& features) const {
  constexpr double kNanosecond = 1e-9;
  features[kGapMean] = base::ToSeconds(length);
  if (packets_ == 0) return;
  const auto count = static_cast<double>(packets_);
  features[kSizeMean] = static_cast<double>(bytes_) / count;
  features[kSizeStd] = StandardDeviation(packets_, bytes_, squared_bytes_);
  features[kBurstShare] = static_cast<double>(burst_packets_) / count;
  if (gaps_ == 0) return;
  features[kGapMean] = static_cast<double>(gap_ns_) / static_cast<double>(gaps_) * kNanosecond;
  features[kJitter] = StandardDeviation(gaps_, gap_ns_, squared_gap_ns_) * kNanosecond;
}

void Accumulator::SetProtocols(FeatureVector& features) const {
  std::array<std::uint64_t, kClassCount> packets{};
  std::uint64_t syns = 0;
  for (const auto& [key, sums] : flows_) {
    packets[ClassOf(key)] += sums.packets;
    syns += sums.syns;
  }
  if (packets_ == 0) return;
  for (std::size_t i = 0; i < kClassCount; ++i) {
    features[kTcpShare + i] = static_cast<double>(packets[i]) / static_cast<double>(packets_);
  }
  const auto most = std::max_element(packets.begin(), packets.end());
  features[kDominantProtocol] = static_cast<double>(most - packets.begin() + 1);
  if (packets[kTcp] > 0) features[kSynShare] = static_cast<double>(syns) / static_cast<double>(packets[kTcp]);
}

void Accumulator::SetFlows(const FeatureOptions& options, FeatureVector& features) const {
  std::map<std::uint16_t, std::uint64_t> source_ports, destination_ports;
  std::set<base::IpAddress> sources, destinations;
  std::uint64_t flows = 0, up_bytes = 0, down_bytes = 0;
  for (const auto& [key, sums] : flows_) {
    if (HasPorts(key)) {
      source_ports[key.source_port] += sums.packets;
      destination_ports[key.destination_port] += sums.packets;
    }
    if (key.source.version == 0) continue;
    ++flows;
    sources.insert(key.source);
    destinations.insert(key.destination);
    const Direction direction =
        sums.direction == Direction::kUnknown ? DirectionOf(key, options.home_net) : sums.direction;
    if (direction == Direction::kUplink) up_bytes += sums.bytes;
    if (direction == Direction::kDownlink) down_bytes += sums.bytes;
  }
  features[kSourcePortEntropy] = Entropy(source_ports);
  features[kDestinationPortEntropy] = Entropy(destination_ports);
  features[kFlows] = static_cast<double>(flows);
  features[kSources] = static_cast<double>(sources.size());
  features[kDestinations] = static_cast<double>(destinations.size());
  features[kUplinkDownlinkRatio] =
      (static_cast<double>(up_bytes) + 1) / (static_cast<double>(down_bytes) + 1);
}

}  // namespace flowcast::feature
