// What is kept of a packet, and of many packets on their way through Kafka.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/ip_address.h"
#include "libs/base/time.h"

namespace flowcast::packet {

/// IANA protocol numbers that have a feature of their own.
enum class Protocol : std::uint8_t { kNone = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kSctp = 132 };

/// Bits of Packet::tcp_flags, as in the TCP header (RFC 9293).
inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpAck = 0x10;

/// One direction of a conversation. Frames without IP keep only their EtherType.
struct FlowKey {
  base::IpAddress source;
  base::IpAddress destination;
  std::uint16_t source_port = 0;  // 0 where the protocol has none, or a later fragment hides it
  std::uint16_t destination_port = 0;
  std::uint16_t ether_type = 0;  // 0x0800 and 0x86dd for IP, also behind VLAN tags and on links without one
  std::uint8_t protocol = 0;  // IANA number of what follows IP (and its IPv6 extension headers); 0 without IP

  bool operator==(const FlowKey&) const = default;
};

/// The same in every process: sketches and samples go by it.
struct FlowKeyHash {
  std::size_t operator()(const FlowKey& key) const noexcept;
};
/// Another one in every process, so that nobody can send flows that meet in the same place of a table.
std::uint64_t HashForTable(const FlowKey& key);

/// Whom a frame was for, as its link layer says; where that has no addresses, as IP's destination says.
enum class Cast : std::uint8_t { kUnicast = 0, kMulticast = 1, kBroadcast = 2 };
inline constexpr int kCasts = 3;

/// Of an IP destination: multicast are 224.0.0.0/4 and ff00::/8, broadcast is 255.255.255.255.
Cast CastOf(const base::IpAddress& destination);
/// "unicast", "multicast", "broadcast".
std::string_view Name(Cast cast);

/// One packet, headers only.
struct Packet {
  base::EventTime time;
  std::uint32_t wire_length_bytes = 0;  // on the wire, link-layer header included, however much was captured
  std::uint16_t interface = 0;          // index into the source's interfaces
  std::uint16_t vlan = 0;               // outermost 802.1Q identifier, 0 without one
  std::uint8_t tcp_flags = 0;
  std::uint8_t traffic_class = 0;  // DSCP and ECN
  std::uint8_t ttl = 0;            // or hop limit
  Cast cast = Cast::kUnicast;
  std::uint32_t tcp_sequence = 0;  // TCP's sequence number
  std::uint32_t tcp_length =
      0;  // how many sequence numbers it takes: payload bytes, SYN and FIN; 0 without TCP
  FlowKey flow;
};

/// Which way a packet crosses the border of the home net, seen from within.
enum class Direction : std::uint8_t {
  kUnknown = 0,   // the capture was told of no home net
  kUplink = 1,    // from it
  kDownlink = 2,  // to it
  kInternal = 3,  // from and to it
  kTransit = 4,   // neither, or no IP
};
inline constexpr int kDirections = 5;

/// As seen from `home_net`; never kUnknown.
Direction DirectionOf(const FlowKey& flow, const base::CidrSet& home_net);

/// What a source has seen so far, cumulative since its epoch began. The sum always holds:
/// received = published + filtered + dropped() + undecodable.
struct SourceCounters {
  std::uint64_t received = 0;
  std::uint64_t published = 0;
  std::uint64_t filtered = 0;
  std::uint64_t dropped_by_kernel = 0;     // the ring was full
  std::uint64_t dropped_by_interface = 0;  // the card or its driver had no room
  std::uint64_t dropped_by_queue = 0;      // Kafka was away and there was no spool
  std::uint64_t dropped_by_spool = 0;      // Kafka was away and the spool was full
  std::uint64_t undecodable = 0;

  std::uint64_t dropped() const {
    return dropped_by_kernel + dropped_by_interface + dropped_by_queue + dropped_by_spool;
  }
  bool operator==(const SourceCounters&) const = default;
};

/// What the capture found out about a packet by knowing its flow; bits of PacketBatch::marks.
enum Mark : std::uint8_t {
  kBegins = 1,   // the first packet of its flow
  kRepeats = 2,  // a TCP segment that begins with data its flow had sent before
};

/// How exactly a flow's start is told: a start costs two bytes less a flow than in microseconds.
inline constexpr base::Duration kStartResolution = std::chrono::milliseconds(1);

/// A flow of a batch: which link it was seen on, and its key. A flow stands there again when it begins anew.
struct BatchFlow {
  std::uint32_t link = 0;  // index into PacketBatch::links
  FlowKey key;
  Direction direction = Direction::kUnknown;
  Cast cast = Cast::kUnicast;
  /// Time of its first packet, maybe long before this batch, rounded down to kStartResolution.
  base::EventTime started = base::kBeginningOfTime;

  bool operator==(const BatchFlow&) const = default;
};

/// A packet that came after the watermark had passed its time: a promise broken by the source's
/// time stamps. What the watermark was then decides whether the packet is late, so that it does not
/// depend on where batches end.
struct Straggler {
  std::uint32_t packet = 0;  // index into the columns
  base::EventTime watermark = base::kBeginningOfTime;

  bool operator==(const Straggler&) const = default;
};

/// Packets of one source for one partition, as columns of equal length, in order of arrival.
/// An empty batch carries the watermark alone.
struct PacketBatch {
  std::string source;
  std::uint64_t epoch = 0;     // grows each time the source starts afresh; equal for resends
  std::uint64_t content = 0;   // fingerprint of what the epoch consists of; equal for resends
  std::uint64_t sequence = 0;  // number of the first packet within source, epoch and partition: however the
                               // batches were cut, packet n is the same one
  base::EventTime started = base::kBeginningOfTime;    // the source's first packet in this epoch
  base::EventTime watermark = base::kBeginningOfTime;  // no packet older than this follows in this partition
  bool final = false;                                  // the source has ended; nothing follows in this epoch
  SourceCounters counters;

  std::vector<std::string> links;  // identifiers, each qualified by the source: "demo/office"
  std::vector<BatchFlow> flows;

  std::vector<base::EventTime> times;
  std::vector<std::uint32_t> flow_indexes;
  std::vector<std::uint32_t> wire_lengths_bytes;
  std::vector<std::uint8_t> tcp_flags;
  std::vector<std::uint8_t> traffic_classes;
  std::vector<std::uint8_t> ttls;
  std::vector<std::uint8_t> marks;    // of enum Mark; only the first packet of a flow in `flows` may begin it
  std::vector<Straggler> stragglers;  // in order of `packet`

  std::size_t size() const { return times.size(); }
  bool operator==(const PacketBatch&) const = default;
};

}  // namespace flowcast::packet
