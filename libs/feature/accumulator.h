// Sums up the packets of one link in one window.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "libs/base/ip_address.h"
#include "libs/base/time.h"
#include "libs/base/uint128.h"
#include "libs/feature/catalogue.h"
#include "libs/feature/handshakes.h"
#include "libs/feature/quantiles.h"
#include "libs/feature/window_flows.h"
#include "libs/packet/packet.h"

namespace flowcast::feature {

struct FeatureOptions {
  base::CidrSet home_net{{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}};
  base::Duration burst_gap = std::chrono::milliseconds(1);
  std::size_t exact_flows = 1 << 16;  // a window with more flows is described by sketches
};

/// What the accumulator wants to know of a packet.
struct PacketFacts {
  base::EventTime time;
  std::uint32_t wire_length_bytes = 0;
  std::uint8_t tcp_flags = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t marks = 0;  // of packet::Mark
};

/// What some packets of one flow add up to.
struct FlowPart {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  base::EventTime last = base::kBeginningOfTime;  // time of the newest
};

/// Which values of a window are estimates; bits of Accumulator::approximate.
enum Approximate : std::uint32_t {
  kPercentilesApproximate = 1,
  kFlowsApproximate = 2,
  kHandshakesApproximate = 4,
};

/// A packet costs a few additions and two increments; addresses and ports are looked at once for several
/// packets of a flow. The result does not depend on how packets were batched, and the memory does not grow
/// beyond some MiB whatever comes. Not thread-safe.
class Accumulator {
 public:
  /// A packet of `flow`, in order of arrival.
  void AddPacket(const PacketFacts& packet, const packet::FlowKey& flow, base::Duration burst_gap) {
    if (packets_ > 0) AddGap(packet.time, burst_gap);
    last_time_ = packet.time;
    ++packets_;
    bytes_ += packet.wire_length_bytes;
    squared_bytes_ += std::uint64_t{packet.wire_length_bytes} * packet.wire_length_bytes;
    smallest_bytes_ = std::min(smallest_bytes_, packet.wire_length_bytes);
    largest_bytes_ = std::max(largest_bytes_, packet.wire_length_bytes);
    sizes_.Add(packet.wire_length_bytes);
    // Without IP there is no class, whatever a foreign message says.
    ++by_dscp_[flow.source.version == 0 ? kBestEffort : kDscpClasses[packet.traffic_class >> 2]];
    constexpr std::uint8_t kRare = packet::kTcpSyn | packet::kTcpFin | packet::kTcpRst;
    if (((packet.tcp_flags & kRare) | packet.marks) != 0) AddRare(packet, flow);
  }
  /// Packets of one flow that AddPacket has had. A direction that the capture did not tell is taken from
  /// FeatureOptions::home_net.
  void AddFlow(const packet::BatchFlow& flow, const FlowPart& part, const FeatureOptions& options);

  std::uint64_t packets() const { return packets_; }
  std::uint64_t bytes() const { return bytes_; }
  /// All of it, itself included.
  std::size_t memory_bytes() const;
  /// Bits of enum Approximate.
  std::uint32_t approximate() const;

  /// The values of docs/features.md for the window that starts at `start`.
  FeatureValues Features(base::EventTime start, base::Duration length) const;

 private:
  enum ProtocolClass : std::size_t { kTcp, kUdp, kIcmp, kOther, kProtocolClasses };
  /// In the order of their features.
  enum DscpClass : std::uint8_t { kBestEffort, kAssured, kExpedited, kSelector, kUnnamed, kDscpClassCount };
  static const std::array<DscpClass, 64> kDscpClasses;
  struct Way {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };

  static ProtocolClass ClassOf(const packet::FlowKey& key);

  void AddGap(base::EventTime time, base::Duration burst_gap) {
    const auto gap = std::max(time - last_time_, base::Duration::zero());
    const auto gap_ns = static_cast<std::uint64_t>(gap.count());
    gap_ns_ += gap_ns;
    squared_gap_ns_ += static_cast<base::Uint128>(gap_ns) * gap_ns;
    burst_packets_ += gap < burst_gap ? 1 : 0;
    gaps_.Add(gap_ns);
  }
  void AddRare(const PacketFacts& packet, const packet::FlowKey& flow);
  void SetSizes(FeatureValues& features) const;
  void SetGaps(FeatureValues& features) const;
  void SetProtocols(FeatureValues& features) const;
  void SetTcp(FeatureValues& features) const;
  void SetFlows(FeatureValues& features) const;
  double ShareOf(std::uint64_t packets) const;

  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  base::Uint128 squared_bytes_ = 0;
  base::Uint128 squared_gap_ns_ = 0;
  std::uint64_t gap_ns_ = 0;
  std::uint64_t burst_packets_ = 0;
  base::EventTime last_time_ = base::kBeginningOfTime;
  std::uint32_t smallest_bytes_ = ~std::uint32_t{0};
  std::uint32_t largest_bytes_ = 0;
  std::array<std::uint64_t, kDscpClassCount> by_dscp_{};  // packets without IP are best effort here
  Quantiles<std::uint32_t, 10> sizes_;
  Quantiles<std::uint64_t, 7> gaps_;

  std::uint64_t syn_ = 0, syn_ack_ = 0, rst_ = 0, fin_ = 0, repeats_ = 0, begun_ = 0;
  std::unique_ptr<Handshakes> handshakes_;

  std::array<std::uint64_t, kProtocolClasses> by_protocol_{};
  std::array<std::uint64_t, packet::kCasts> by_cast_{};
  std::uint64_t ip_packets_ = 0, ipv6_packets_ = 0;
  Way up_, down_;
  WindowFlows flows_;
};

}  // namespace flowcast::feature
