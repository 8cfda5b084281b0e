// The packets of one link: flows that begin, send and end, chosen by look-ups.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "libs/base/random.h"
#include "libs/packet/packet.h"
#include "libs/synthetic/scenario.h"

namespace flowcast::synthetic {

/// A mix made ready for drawing by all links that have it: the alias method (Walker 1977) over its
/// conversations.
class MixTable {
 public:
  struct Kind {
    std::uint8_t protocol;
    std::uint16_t port;
    bool has_ports;
    std::uint8_t traffic_class;
    std::uint32_t down_below;     // of 2^16: the packet goes to the client
    std::uint32_t size_from[2];   // up, down
    std::uint32_t size_range[2];  // how many sizes from there
    double flow_packets;          // mean
    std::uint32_t first_flow;     // where the kind's flows are among a link's
    std::uint32_t flows;          // at least one
  };

  /// `flows` of a link at a time.
  MixTable(const Mix& mix, int flows);

  const std::vector<Kind>& kinds() const { return kinds_; }
  /// By the mix's shares; uses the lowest 26 bits.
  std::size_t Draw(std::uint64_t bits) const {
    const std::size_t column = bits & mask_;
    return ((bits >> 6) & 0xfffff) < columns_[column].below ? column : columns_[column].other;
  }

 private:
  struct Column {
    std::uint32_t below = 0;  // of 2^20: its own kind, otherwise `other`
    std::uint32_t other = 0;
  };

  void FillColumns(std::vector<double> shares);

  std::vector<Kind> kinds_;
  std::vector<Column> columns_;
  std::size_t mask_ = 0;
};

/// Where a link's clients and servers are.
struct LinkAddresses {
  int network = 0;  // clients: 10.N.N.0/24 and fd10:0:N::/64, N the two bytes of it
  int hosts = 1;
  int servers = 1;  // 198.18.0.0/16 and 2001:2:0:1::/64
  double ipv6_share = 0;
};

/// Every kind of conversation has its share of the link's flows, at least one; a packet belongs to
/// one of its kind's flows at random. A flow has an exponentially distributed number of packets, the first
/// one from the client (SYN), the last one with FIN, then another takes its place.
class PacketMaker {
 public:
  /// `mix` must outlive it. Draws its first flows.
  PacketMaker(const MixTable& mix, const LinkAddresses& addresses, std::uint16_t interface,
              base::Random& random);

  /// Fetches the flow that these random bits choose into the cache, for a Make some packets later.
  void Prefetch(std::uint64_t bits) const { __builtin_prefetch(&flows_[FlowOf(KindOf(bits), bits)], 1); }

  /// Writes the packet that the random bits choose over `packet`; `random` decides its size and
  /// the next flow.
  void Make(base::EventTime time, std::uint64_t bits, base::Random& random, packet::Packet& packet) {
    const MixTable::Kind& kind = KindOf(bits);
    Flow& flow = flows_[FlowOf(kind, bits)];
    const bool fresh = flow.fresh;
    const auto down = static_cast<std::size_t>(!fresh && ((bits >> 42) & 0xffff) < kind.down_below);
    packet.time = time;
    packet.interface = interface_;
    packet.vlan = 0;
    packet.traffic_class = kind.traffic_class;
    packet.ttl = flow.ttl[down];
    packet.flow.source = flow.ends[down];
    packet.flow.destination = flow.ends[1 - down];
    packet.flow.source_port = flow.ports[down];
    packet.flow.destination_port = flow.ports[1 - down];
    packet.flow.ether_type = flow.ether_type;
    packet.flow.protocol = flow.protocol;
    packet.wire_length_bytes = kind.size_from[down];
    if (kind.size_range[down] > 1)
      packet.wire_length_bytes +=
          static_cast<std::uint32_t>((random.Next() >> 32) * kind.size_range[down] >> 32);
    flow.fresh = false;
    const bool last = --flow.left == 0;
    packet.tcp_flags = FlagsOf(kind, fresh, last);
    if (last) Begin(flow, kind, random);
  }

 private:
  /// A cache line; of two ends, the client's comes first.
  struct alignas(64) Flow {
    base::IpAddress ends[2];
    std::uint16_t ports[2];
    std::uint16_t ether_type;
    std::uint8_t protocol;
    std::uint8_t ttl[2];
    bool fresh;
    std::uint32_t left;  // packets
  };

  const MixTable::Kind& KindOf(std::uint64_t bits) const { return mix_->kinds()[mix_->Draw(bits)]; }
  static std::size_t FlowOf(const MixTable::Kind& kind, std::uint64_t bits) {
    return kind.first_flow + (((bits >> 26) & 0xffff) * kind.flows >> 16);
  }
  static std::uint8_t FlagsOf(const MixTable::Kind& kind, bool fresh, bool last) {
    if (kind.protocol != 6) return 0;
    if (fresh) return packet::kTcpSyn;
    return last ? packet::kTcpFin | packet::kTcpAck : packet::kTcpAck;
  }
  void Begin(Flow& flow, const MixTable::Kind& kind, base::Random& random) const;

  const MixTable* mix_;
  std::vector<Flow> flows_;
  LinkAddresses addresses_;
  std::uint16_t interface_;
};

}  // namespace flowcast::synthetic
