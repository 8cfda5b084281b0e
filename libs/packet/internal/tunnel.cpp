// GRE (RFC 2784, 2890, 2637), ERSPAN (draft-foschiano-erspan), VXLAN (RFC 7348), GTP-U (3GPP TS 29.281),
// IP in IP (RFC 2003, 2473, 4213), Geneve (RFC 8926).
#include "libs/packet/internal/tunnel.h"

#include "libs/packet/internal/encapsulation.h"
#include "libs/packet/internal/link_header.h"
#include "libs/packet/internal/network_layer.h"

namespace flowcast::packet::internal {
namespace {

constexpr int kMostLevels = 4;
constexpr std::size_t kUdpHeaderBytes = 8;

enum IpProtocol : std::uint8_t { kIpv4InIp = 4, kUdp = 17, kIpv6InIp = 41, kGre = 47 };
enum UdpPort : std::uint16_t { kGtpPort = 2152, kVxlanPort = 4789, kGenevePort = 6081 };

// Protocol types of GRE and Geneve that are no EtherTypes.
enum TunnelledType : std::uint16_t {
  kEthernetFrame = 0x6558,
  kPppOfPptp = 0x880b,
  kErspan = 0x88be,
  kErspan3 = 0x22eb
};

Bytes After(Bytes bytes, std::size_t count) { return count <= bytes.size() ? bytes.subspan(count) : Bytes(); }

// Type I has no header of its own, and GRE no sequence number then.
void OpenErspan(Bytes bytes, bool sequenced, Decoding& inside) {
  DecodeEthernet(After(bytes, sequenced ? 8 : 0), inside);
}

void OpenErspan3(Bytes bytes, Decoding& inside) {
  if (bytes.size() < 12) return;
  const bool platform_header = (U8(bytes, 11) & 1) != 0;
  DecodeEthernet(After(bytes, platform_header ? 20 : 12), inside);
}

void OpenGre(Bytes bytes, Decoding& inside) {
  if (bytes.size() < 4) return;
  const std::uint16_t flags = U16(bytes, 0);
  const bool checksum = (flags & 0x8000) != 0;
  const bool source_routes = (flags & 0x4000) != 0;  // of RFC 1701, which nobody uses
  const bool key = (flags & 0x2000) != 0;
  const bool sequence = (flags & 0x1000) != 0;
  const bool acknowledgement = (flags & 0x0080) != 0 && (flags & 0x0007) == 1;
  if (source_routes || (flags & 0x0007) > 1) return;
  const Bytes payload = After(bytes, 4 + 4 * (std::size_t{checksum} + key + sequence + acknowledgement));
  switch (const std::uint16_t type = U16(bytes, 2)) {
    case kEthernetFrame:
      DecodeEthernet(payload, inside);
      return;
    case kErspan:
      return OpenErspan(payload, sequence, inside);
    case kErspan3:
      return OpenErspan3(payload, inside);
    case kPppOfPptp:
      DecodePppFrame(payload, inside);
      return;
    default:
      return DecodeEtherType(type, payload, inside);
  }
}

void OpenVxlan(Bytes bytes, Decoding& inside) {
  if (bytes.size() < 8 || (U8(bytes, 0) & 0x08) == 0) return;  // without a network identifier it is invalid
  DecodeEthernet(bytes.subspan(8), inside);
}

void OpenGeneve(Bytes bytes, Decoding& inside) {
  if (bytes.size() < 8 || U8(bytes, 0) >> 6 != 0) return;
  const Bytes payload = After(bytes, 8 + 4 * std::size_t{U8(bytes, 0) & 0x3fU});
  const std::uint16_t type = U16(bytes, 2);
  if (type == kEthernetFrame) {
    DecodeEthernet(payload, inside);
  } else {
    DecodeEtherType(type, payload, inside);
  }
}

// Each says its length in words of four bytes, and in its last byte what follows.
Bytes SkipGtpExtensions(std::uint8_t type, Bytes bytes) {
  while (type != 0 && !bytes.empty()) {
    const std::size_t length = 4 * std::size_t{U8(bytes, 0)};
    if (length == 0 || length > bytes.size()) return {};
    type = U8(bytes, length - 1);
    bytes = bytes.subspan(length);
  }
  return bytes;
}

void OpenGtp(Bytes bytes, Decoding& inside) {
  constexpr std::uint8_t kUserPacket = 255;
  if (bytes.size() < 8 || U8(bytes, 0) >> 4 != 3 || U8(bytes, 1) != kUserPacket) return;
  const std::uint8_t flags = U8(bytes, 0);
  Bytes payload = bytes.subspan(8);
  if ((flags & 0x07) != 0) {  // any of them brings the fields of all
    if (payload.size() < 4) return;
    const bool extended = (flags & 0x04) != 0;
    payload = SkipGtpExtensions(extended ? U8(payload, 3) : std::uint8_t{0}, payload.subspan(4));
  }
  DecodeIpOfEitherVersion(payload, inside);
}

void OpenUdp(Tunnels tunnels, std::uint16_t port, Bytes bytes, Decoding& inside) {
  const Bytes payload = After(bytes, kUdpHeaderBytes);
  if (port == kVxlanPort && tunnels.Has(Tunnel::kVxlan)) OpenVxlan(payload, inside);
  if (port == kGtpPort && tunnels.Has(Tunnel::kGtp)) OpenGtp(payload, inside);
  if (port == kGenevePort && tunnels.Has(Tunnel::kGeneve)) OpenGeneve(payload, inside);
}

void Open(Tunnels tunnels, const FlowKey& outside, Bytes bytes, Decoding& inside) {
  if (outside.protocol == kUdp) OpenUdp(tunnels, outside.destination_port, bytes, inside);
  if (outside.protocol == kGre && tunnels.Has(Tunnel::kGre)) OpenGre(bytes, inside);
  if (outside.protocol == kIpv4InIp && tunnels.Has(Tunnel::kIpip)) DecodeIpv4(bytes, inside);
  if (outside.protocol == kIpv6InIp && tunnels.Has(Tunnel::kIpip)) DecodeIpv6(bytes, inside);
}

}  // namespace

void OpenTunnels(Tunnels tunnels, Decoding& decoding) {
  Packet& packet = decoding.packet;
  for (int level = 0; level < kMostLevels && !decoding.ip_payload.empty(); ++level) {
    Packet inner;
    Decoding inside{inner};
    Open(tunnels, packet.flow, decoding.ip_payload, inside);
    if (inner.flow.source.version == 0) return;
    packet.flow = inner.flow;
    packet.tcp_flags = inner.tcp_flags;
    packet.tcp_sequence = inner.tcp_sequence;
    packet.tcp_length = inner.tcp_length;
    packet.traffic_class = inner.traffic_class;
    packet.ttl = inner.ttl;
    decoding.ip_payload = inside.ip_payload;
  }
}

}  // namespace flowcast::packet::internal
