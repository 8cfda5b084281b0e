// 802.1Q and 802.1ad tags, MPLS (RFC 3032) and Ethernet over it (RFC 4448), PPPoE (RFC 2516), PPP
// (RFC 1661), LLC/SNAP (RFC 1042).
#include "libs/packet/internal/encapsulation.h"

#include "libs/packet/internal/network_layer.h"

namespace flowcast::packet::internal {
namespace {

constexpr std::uint16_t kSmallestEtherType = 0x0600;
constexpr std::size_t kVlanTagBytes = 4;
constexpr std::size_t kMplsLabelBytes = 4;
constexpr std::size_t kPppoeHeaderBytes = 6;
constexpr std::size_t kLlcBytes = 3;
constexpr std::size_t kSnapBytes = 5;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kControlWordBytes = 4;

bool IsVlanTag(std::uint16_t ether_type) {
  if (ether_type < 0x8100) return false;
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100 || ether_type == 0x9200;
}

bool IsPlausible(std::uint16_t ether_type) {
  return ether_type == kEtherTypeIpv4 || ether_type == kEtherTypeIpv6 || ether_type == 0x0806 ||
         IsVlanTag(ether_type);
}

// Ethernet with and without a control word look alike but for the place of the EtherType.
void DecodePseudowire(Bytes bytes, Decoding& decoding) {
  for (const std::size_t skipped : {std::size_t{0}, kControlWordBytes}) {
    const std::size_t header = skipped + kEthernetBytes;
    if (bytes.size() < header || !IsPlausible(U16(bytes, header - 2))) continue;
    return DecodeEtherType(U16(bytes, header - 2), bytes.subspan(header), decoding);
  }
}

// The label stack does not say what it carries: routers look at the IP version, too.
void DecodeMpls(Bytes bytes, Decoding& decoding) {
  while (bytes.size() >= kMplsLabelBytes) {
    const bool bottom_of_stack = (U8(bytes, 2) & 1) != 0;
    bytes = bytes.subspan(kMplsLabelBytes);
    if (!bottom_of_stack) continue;
    const bool pseudowire = !bytes.empty() && U8(bytes, 0) >> 4 == 0;
    if (pseudowire && decoding.nested++ < kMostNested) return DecodePseudowire(bytes, decoding);
    return DecodeIpOfEitherVersion(bytes, decoding);
  }
}

void DecodePppoe(Bytes bytes, Decoding& decoding) {
  if (bytes.size() >= kPppoeHeaderBytes) DecodePpp(bytes.subspan(kPppoeHeaderBytes), decoding);
}

}  // namespace

void DecodeEtherType(std::uint16_t ether_type, Bytes payload, Decoding& decoding) {
  Packet& packet = decoding.packet;
  while (IsVlanTag(ether_type) && payload.size() >= kVlanTagBytes) {
    if (packet.vlan == 0) packet.vlan = U16(payload, 0) & 0x0fff;
    ether_type = U16(payload, 2);
    payload = payload.subspan(kVlanTagBytes);
  }
  if (ether_type < kSmallestEtherType) return DecodeLlc(payload, decoding);
  packet.flow.ether_type = ether_type;
  switch (ether_type) {
    case kEtherTypeIpv4:
      return DecodeIpv4(payload, decoding);
    case kEtherTypeIpv6:
      return DecodeIpv6(payload, decoding);
    case 0x8847:
    case 0x8848:
      return DecodeMpls(payload, decoding);
    case 0x8864:
      return DecodePppoe(payload, decoding);
    default:
      return;
  }
}

bool DecodePpp(Bytes bytes, Decoding& decoding) {
  if (bytes.empty()) return false;
  const bool compressed = (U8(bytes, 0) & 1) != 0;
  if (!compressed && bytes.size() < 2) return false;
  const std::uint16_t protocol = compressed ? U8(bytes, 0) : U16(bytes, 0);
  const Bytes payload = bytes.subspan(compressed ? 1 : 2);
  switch (protocol) {
    case 0x0021:
      DecodeIpv4(payload, decoding);
      break;
    case 0x0057:
      DecodeIpv6(payload, decoding);
      break;
    case 0x0281:
    case 0x0283:
      DecodeMpls(payload, decoding);
      break;
    default:
      break;
  }
  return true;
}

void DecodeLlc(Bytes bytes, Decoding& decoding) {
  decoding.packet.flow.ether_type = 0;
  if (bytes.size() < kLlcBytes || U16(bytes, 0) != 0xaaaa || U8(bytes, 2) != 0x03) return;
  DecodeSnap(bytes.subspan(kLlcBytes), decoding);
}

void DecodeSnap(Bytes bytes, Decoding& decoding) {
  if (bytes.size() < kSnapBytes || decoding.nested++ >= kMostNested) return;
  const std::uint32_t organization = U32(bytes, 0) >> 8;
  if (organization != 0 && organization != 0x0000f8) return;
  DecodeEtherType(U16(bytes, 3), bytes.subspan(kSnapBytes), decoding);
}

}  // namespace flowcast::packet::internal
