// 802.1Q and 802.1ad tags, MPLS (RFC 3032), PPPoE (RFC 2516), PPP (RFC 1661), LLC/SNAP (RFC 1042).
#include "libs/packet/internal/encapsulation.h"

#include "libs/packet/internal/network_layer.h"

namespace flowcast::packet::internal {
namespace {

constexpr std::uint16_t kSmallestEtherType = 0x0600;
constexpr std::size_t kVlanTagBytes = 4;
constexpr std::size_t kMplsLabelBytes = 4;
constexpr std::size_t kPppoeHeaderBytes = 6;
constexpr std::size_t kLlcSnapBytes = 8;

bool IsVlanTag(std::uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

// The label stack does not say what it carries: routers look at the IP version, too.
void DecodeMpls(Bytes bytes, Packet& packet) {
  while (bytes.size() >= kMplsLabelBytes) {
    const bool bottom_of_stack = (U8(bytes, 2) & 1) != 0;
    bytes = bytes.subspan(kMplsLabelBytes);
    if (bottom_of_stack) return DecodeIpOfEitherVersion(bytes, packet);
  }
}

void DecodePppoe(Bytes bytes, Packet& packet) {
  if (bytes.size() >= kPppoeHeaderBytes) DecodePpp(bytes.subspan(kPppoeHeaderBytes), packet);
}

}  // namespace

void DecodeEtherType(std::uint16_t ether_type, Bytes payload, Packet& packet) {
  while (IsVlanTag(ether_type) && payload.size() >= kVlanTagBytes) {
    if (packet.vlan == 0) packet.vlan = U16(payload, 0) & 0x0fff;
    ether_type = U16(payload, 2);
    payload = payload.subspan(kVlanTagBytes);
  }
  packet.flow.ether_type = ether_type < kSmallestEtherType ? std::uint16_t{0} : ether_type;
  switch (ether_type) {
    case kEtherTypeIpv4:
      return DecodeIpv4(payload, packet);
    case kEtherTypeIpv6:
      return DecodeIpv6(payload, packet);
    case 0x8847:
    case 0x8848:
      return DecodeMpls(payload, packet);
    case 0x8864:
      return DecodePppoe(payload, packet);
    default:
      return;
  }
}

bool DecodePpp(Bytes bytes, Packet& packet) {
  if (bytes.empty()) return false;
  const bool compressed = (U8(bytes, 0) & 1) != 0;
  if (!compressed && bytes.size() < 2) return false;
  const std::uint16_t protocol = compressed ? U8(bytes, 0) : U16(bytes, 0);
  const Bytes payload = bytes.subspan(compressed ? 1 : 2);
  switch (protocol) {
    case 0x0021:
      DecodeIpv4(payload, packet);
      break;
    case 0x0057:
      DecodeIpv6(payload, packet);
      break;
    case 0x0281:
    case 0x0283:
      DecodeMpls(payload, packet);
      break;
    default:
      break;
  }
  return true;
}

void DecodeLlc(Bytes bytes, Packet& packet) {
  if (bytes.size() < kLlcSnapBytes) return;
  const std::uint32_t oui = U32(bytes, 2) & 0x00ffffff;
  const bool snap = U16(bytes, 0) == 0xaaaa && U8(bytes, 2) == 0x03;
  if (snap && (oui == 0 || oui == 0x0000f8))
    DecodeEtherType(U16(bytes, 6), bytes.subspan(kLlcSnapBytes), packet);
}

}  // namespace flowcast::packet::internal
