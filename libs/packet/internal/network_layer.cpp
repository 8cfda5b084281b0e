// IPv4 (RFC 791), IPv6 (RFC 8200) and ports.
#include "libs/packet/internal/network_layer.h"

#include <algorithm>
#include <cstring>

namespace flowcast::packet::internal {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kTcpSequenceAt = 4;
constexpr std::size_t kTcpOffsetAt = 12;
constexpr std::size_t kTcpFlagsAt = 13;
constexpr std::size_t kTcpHeaderBytes = 20;

enum ExtensionHeader : std::uint8_t {
  kHopByHop = 0,
  kRouting = 43,
  kFragment = 44,
  kAuthentication = 51,
  kDestinationOptions = 60,
};

// The rest of `address` is zero, as IP is decoded once a packet.
void Copy(Bytes bytes, std::size_t at, std::size_t length, base::IpAddress& address) {
  std::memcpy(address.bytes.data(), bytes.data() + at, length);
  address.version = length == 4 ? 4 : 6;
}

// `length` is that of the segment by the IP header, whatever was captured; 0 where that does not tell.
void DecodeTcp(Bytes bytes, std::size_t length, Packet& packet) {
  if (bytes.size() <= kTcpFlagsAt) return;
  packet.tcp_flags = U8(bytes, kTcpFlagsAt);
  const std::size_t header = std::size_t{U8(bytes, kTcpOffsetAt)} >> 4 << 2;
  if (header < kTcpHeaderBytes || header > length) return;
  packet.tcp_sequence = U32(bytes, kTcpSequenceAt);
  const bool syn = (packet.tcp_flags & kTcpSyn) != 0;
  const bool fin = (packet.tcp_flags & kTcpFin) != 0;
  packet.tcp_length = static_cast<std::uint32_t>(length - header + syn + fin);
}

void DecodeTransport(Bytes bytes, std::size_t length, Packet& packet) {
  const auto protocol = static_cast<Protocol>(packet.flow.protocol);
  if (protocol != Protocol::kTcp && protocol != Protocol::kUdp && protocol != Protocol::kSctp) return;
  if (bytes.size() < 4) return;
  packet.flow.source_port = U16(bytes, 0);
  packet.flow.destination_port = U16(bytes, 2);
  if (protocol == Protocol::kTcp) DecodeTcp(bytes, length, packet);
}

// What the extension headers have left to read.
struct Ipv6Payload {
  std::uint8_t next_header;
  Bytes bytes;
  bool later_fragment = false;
};

bool IsExtension(std::uint8_t header) {
  return header == kHopByHop || header == kRouting || header == kFragment || header == kAuthentication ||
         header == kDestinationOptions;
}

std::size_t ExtensionBytes(std::uint8_t header, Bytes bytes) {
  const std::size_t length = U8(bytes, 1);
  if (header == kFragment) return 8;
  return header == kAuthentication ? (length + 2) * 4 : (length + 1) * 8;
}

Ipv6Payload SkipExtensions(Ipv6Payload payload) {
  while (IsExtension(payload.next_header) && payload.bytes.size() >= 8) {
    const std::size_t length = ExtensionBytes(payload.next_header, payload.bytes);
    if (length > payload.bytes.size()) break;
    payload.later_fragment = payload.next_header == kFragment && (U16(payload.bytes, 2) & 0xfff8) != 0;
    payload.next_header = U8(payload.bytes, 0);
    payload.bytes = payload.bytes.subspan(length);
    if (payload.later_fragment) break;
  }
  return payload;
}

}  // namespace

void DecodeIpv4(Bytes bytes, Decoding& decoding) {
  Packet& packet = decoding.packet;
  packet.flow.ether_type = kEtherTypeIpv4;
  if (bytes.size() < kIpv4HeaderBytes) return;
  const std::size_t header = std::size_t{U8(bytes, 0) & 0x0fU} * 4;
  if (U8(bytes, 0) >> 4 != 4 || header < kIpv4HeaderBytes) return;
  packet.traffic_class = U8(bytes, 1);
  packet.ttl = U8(bytes, 8);
  packet.flow.protocol = U8(bytes, 9);
  Copy(bytes, 12, 4, packet.flow.source);
  Copy(bytes, 16, 4, packet.flow.destination);
  if ((U16(bytes, 6) & 0x1fff) != 0) return;  // a later fragment carries no ports
  // Segmentation offload leaves a total length of 0; anything else ends the packet before padding.
  const std::size_t stated = U16(bytes, 2);
  const std::size_t total = stated == 0 ? bytes.size() : std::min(stated, bytes.size());
  if (header >= total) return;
  decoding.ip_payload = bytes.subspan(header, total - header);
  DecodeTransport(decoding.ip_payload, stated == 0 ? 0 : stated - header, packet);
}

void DecodeIpv6(Bytes bytes, Decoding& decoding) {
  Packet& packet = decoding.packet;
  packet.flow.ether_type = kEtherTypeIpv6;
  if (bytes.size() < kIpv6HeaderBytes || U8(bytes, 0) >> 4 != 6) return;
  packet.traffic_class = static_cast<std::uint8_t>(U16(bytes, 0) >> 4);
  packet.ttl = U8(bytes, 7);
  Copy(bytes, 8, 16, packet.flow.source);
  Copy(bytes, 24, 16, packet.flow.destination);
  Bytes rest = bytes.subspan(kIpv6HeaderBytes);
  // A payload length of 0 is a jumbogram's.
  const std::size_t stated = U16(bytes, 4);
  if (stated != 0) rest = rest.first(std::min(stated, rest.size()));
  const Ipv6Payload payload = SkipExtensions({U8(bytes, 6), rest});
  packet.flow.protocol = payload.next_header;
  if (payload.later_fragment) return;
  decoding.ip_payload = payload.bytes;
  const auto extensions = static_cast<std::size_t>(payload.bytes.data() - rest.data());
  DecodeTransport(payload.bytes, stated == 0 ? 0 : stated - extensions, packet);
}

void DecodeIpOfEitherVersion(Bytes bytes, Decoding& decoding) {
  if (bytes.empty()) return;
  const int version = U8(bytes, 0) >> 4;
  if (version == 4) DecodeIpv4(bytes, decoding);
  if (version == 6) DecodeIpv6(bytes, decoding);
}

}  // namespace flowcast::packet::internal
