// The features' formulas; docs/features.md numbers them.
#include "libs/feature/accumulator.h"

#include <cmath>
#include <numbers>

namespace flowcast::feature {
namespace {

using packet::Direction;
using packet::Protocol;

constexpr double kNanosecond = 1e-9;

double ToDouble(std::uint64_t count) { return static_cast<double>(count); }

double Ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : ToDouble(part) / ToDouble(whole);
}

/// sqrt(n * squares - sum^2) / n, exact up to the last step.
double StandardDeviation(std::uint64_t count, std::uint64_t sum, base::Uint128 squares) {
  if (count == 0) return 0;
  const auto spread = squares * count - static_cast<base::Uint128>(sum) * sum;
  return std::sqrt(static_cast<double>(spread)) / ToDouble(count);
}

void SetCalendar(base::EventTime start, FeatureValues& features) {
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

// RFC 2474 (class selectors), 2597 (assured forwarding), 3246 (expedited forwarding).
constexpr std::array<Accumulator::DscpClass, 64> Accumulator::kDscpClasses = [] {
  std::array<DscpClass, 64> classes{};
  classes.fill(kUnnamed);
  for (std::size_t precedence = 0; precedence < 8; ++precedence) {
    classes[8 * precedence] = precedence == 0 ? kBestEffort : kSelector;
    const bool assured = precedence >= 1 && precedence <= 4;
    for (std::size_t drop = 1; assured && drop <= 3; ++drop) classes[8 * precedence + 2 * drop] = kAssured;
  }
  classes[46] = kExpedited;
  return classes;
}();

Accumulator::ProtocolClass Accumulator::ClassOf(const packet::FlowKey& key) {
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

void Accumulator::AddRare(const PacketFacts& packet, const packet::FlowKey& flow) {
  const bool is_syn = (packet.tcp_flags & packet::kTcpSyn) != 0;
  const bool acknowledges = (packet.tcp_flags & packet::kTcpAck) != 0;
  const bool repeats = (packet.marks & packet::kRepeats) != 0;
  repeats_ += repeats ? 1 : 0;
  begun_ += (packet.marks & packet::kBegins) != 0 && flow.source.version != 0 ? 1 : 0;
  fin_ += (packet.tcp_flags & packet::kTcpFin) != 0 ? 1 : 0;
  rst_ += (packet.tcp_flags & packet::kTcpRst) != 0 ? 1 : 0;
  if (!is_syn) return;
  ++(acknowledges ? syn_ack_ : syn_);
  if (handshakes_ == nullptr) handshakes_ = std::make_unique<Handshakes>();
  handshakes_->Add(flow, packet.time, acknowledges, repeats);
}

void Accumulator::AddFlow(const packet::BatchFlow& flow, const FlowPart& part,
                          const FeatureOptions& options) {
  by_protocol_[ClassOf(flow.key)] += part.packets;
  by_cast_[static_cast<std::size_t>(flow.cast)] += part.packets;
  flows_.Add({flow.key, part.packets, part.bytes, flow.started, part.last}, options.exact_flows);
  if (flow.key.source.version == 0) return;
  ip_packets_ += part.packets;
  ipv6_packets_ += flow.key.source.version == 6 ? part.packets : 0;
  const Direction direction =
      flow.direction == Direction::kUnknown ? DirectionOf(flow.key, options.home_net) : flow.direction;
  if (direction != Direction::kUplink && direction != Direction::kDownlink) return;
  Way& way = direction == Direction::kUplink ? up_ : down_;
  way.packets += part.packets;
  way.bytes += part.bytes;
}

std::size_t Accumulator::memory_bytes() const {
  return sizeof *this + sizes_.memory_bytes() + gaps_.memory_bytes() + flows_.memory_bytes() +
         (handshakes_ == nullptr ? 0 : handshakes_->memory_bytes());
}

std::uint32_t Accumulator::approximate() const {
  std::uint32_t bits = 0;
  if (sizes_.approximate() || gaps_.approximate()) bits |= kPercentilesApproximate;
  if (flows_.approximate()) bits |= kFlowsApproximate;
  if (handshakes_ != nullptr && handshakes_->approximate()) bits |= kHandshakesApproximate;
  return bits;
}

FeatureValues Accumulator::Features(base::EventTime start, base::Duration length) const {
  FeatureValues features{};
  const double seconds = base::ToSeconds(length);
  features[kPackets] = ToDouble(packets_);
  features[kBytes] = ToDouble(bytes_);
  features[kPacketRate] = ToDouble(packets_) / seconds;
  features[kBitRate] = 8.0 * ToDouble(bytes_) / seconds;
  features[kGapMean] = features[kGapP50] = features[kGapP95] = seconds;
  features[kUplinkDownlinkRatio] = (ToDouble(up_.bytes) + 1) / (ToDouble(down_.bytes) + 1);
  SetCalendar(start, features);
  if (packets_ == 0) return features;
  SetSizes(features);
  SetGaps(features);
  SetProtocols(features);
  SetTcp(features);
  SetFlows(features);
  return features;
}

double Accumulator::ShareOf(std::uint64_t packets) const { return Ratio(packets, packets_); }

void Accumulator::SetSizes(FeatureValues& features) const {
  features[kSizeMean] = Ratio(bytes_, packets_);
  features[kSizeStd] = StandardDeviation(packets_, bytes_, squared_bytes_);
  features[kSizeMin] = smallest_bytes_;
  features[kSizeMax] = largest_bytes_;
  features[kSizeP50] = ToDouble(sizes_.At(500));
  features[kSizeP95] = ToDouble(sizes_.At(950));
}

void Accumulator::SetGaps(FeatureValues& features) const {
  features[kBurstShare] = ShareOf(burst_packets_);
  const std::uint64_t gaps = packets_ - 1;
  if (gaps == 0) return;
  features[kGapMean] = Ratio(gap_ns_, gaps) * kNanosecond;
  features[kJitter] = StandardDeviation(gaps, gap_ns_, squared_gap_ns_) * kNanosecond;
  features[kGapP50] = ToDouble(gaps_.At(500)) * kNanosecond;
  features[kGapP95] = ToDouble(gaps_.At(950)) * kNanosecond;
}

void Accumulator::SetProtocols(FeatureValues& features) const {
  for (std::size_t i = 0; i < kProtocolClasses; ++i) features[kTcpShare + i] = ShareOf(by_protocol_[i]);
  const auto most = std::max_element(by_protocol_.begin(), by_protocol_.end());
  features[kDominantProtocol] = static_cast<double>(most - by_protocol_.begin() + 1);
  auto by_dscp = by_dscp_;
  by_dscp[kBestEffort] -= packets_ - ip_packets_;
  for (std::size_t i = 0; i < kDscpClassCount; ++i)
    features[kDscpBestEffortShare + i] = Ratio(by_dscp[i], ip_packets_);
  features[kIpv6Share] = ShareOf(ipv6_packets_);
  features[kBroadcastShare] = ShareOf(by_cast_[static_cast<std::size_t>(packet::Cast::kBroadcast)]);
  features[kMulticastShare] = ShareOf(by_cast_[static_cast<std::size_t>(packet::Cast::kMulticast)]);
}

void Accumulator::SetTcp(FeatureValues& features) const {
  features[kSynShare] = Ratio(syn_, by_protocol_[kTcp]);
  features[kSyn] = ToDouble(syn_);
  features[kSynAck] = ToDouble(syn_ack_);
  features[kRst] = ToDouble(rst_);
  features[kFin] = ToDouble(fin_);
  features[kRetransmissionShare] = Ratio(repeats_, by_protocol_[kTcp]);
  if (handshakes_ != nullptr)
    features[kTcpRtt] = Ratio(handshakes_->sum_ns(), handshakes_->count()) * kNanosecond;
}

void Accumulator::SetFlows(FeatureValues& features) const {
  const FlowSummary flows = flows_.Summary();
  features[kSourcePortEntropy] = flows.source_port_entropy;
  features[kDestinationPortEntropy] = flows.destination_port_entropy;
  features[kFlows] = flows.flows;
  features[kSources] = flows.sources;
  features[kDestinations] = flows.destinations;
  features[kNewFlows] = ToDouble(begun_);
  features[kFlowDurationMean] = flows.mean_duration_s;
  if (flows.flows > 0) features[kFlowPacketsMean] = ToDouble(ip_packets_) / flows.flows;
  features[kTopTalkerShare] = std::min(flows.top_talker_bytes / std::max(ToDouble(bytes_), 1.0), 1.0);
  features[kUplinkPackets] = ToDouble(up_.packets);
  features[kUplinkBytes] = ToDouble(up_.bytes);
  features[kDownlinkPackets] = ToDouble(down_.packets);
  features[kDownlinkBytes] = ToDouble(down_.bytes);
}

}  // namespace flowcast::feature
