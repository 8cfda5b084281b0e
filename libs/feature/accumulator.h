// Sums up the packets of one link in one window.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "libs/base/ip_address.h"
#include "libs/base/time.h"
#include "libs/base/uint128.h"
#include "libs/feature/window.h"
#include "libs/packet/packet.h"

namespace flowcast::feature {

struct FeatureOptions {
  base::CidrSet home_net{{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}};
  base::Duration burst_gap = std::chrono::milliseconds(1);
};

/// Packet by packet it keeps integer sums; what needs addresses and ports is kept per flow, so
/// that a packet costs a few additions and a flow one look-up a batch. The result does not depend
/// on how packets were batched. Not thread-safe.
class Accumulator {
 public:
  /// A packet, without its flow; in order of arrival.
  void AddPacket(base::EventTime time, std::uint32_t wire_length_bytes, base::Duration burst_gap);
  /// `packets` of one flow, of which `bytes` on the wire and `syns` with SYN and without ACK. A
  /// direction that the capture did not tell is taken from FeatureOptions::home_net.
  void AddFlow(const packet::FlowKey& key, packet::Direction direction, std::uint64_t packets,
               std::uint64_t bytes, std::uint64_t syns);

  std::uint64_t packets() const { return packets_; }
  std::uint64_t bytes() const { return bytes_; }

  /// The values of docs/features.md for the window that starts at `start`.
  FeatureVector Features(base::EventTime start, base::Duration length, const FeatureOptions& options) const;

 private:
  struct FlowSums {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t syns = 0;
    packet::Direction direction = packet::Direction::kUnknown;
  };
  void SetSizesAndGaps(base::Duration length, FeatureVector& features) const;
  void SetProtocols(FeatureVector& features) const;
  void SetFlows(const FeatureOptions& options, FeatureVector& features) const;

  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  base::Uint128 squared_bytes_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t gap_ns_ = 0;
  base::Uint128 squared_gap_ns_ = 0;
  std::uint64_t burst_packets_ = 0;
  base::EventTime last_time_ = base::kBeginningOfTime;
  std::unordered_map<packet::FlowKey, FlowSums, packet::FlowKeyHash> flows_;
};

}  // namespace flowcast::feature
