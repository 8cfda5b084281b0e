// Link-layer headers, each as the registry of link types describes it.
#include "libs/packet/decoder.h"

#include "libs/packet/internal/bytes.h"
#include "libs/packet/internal/encapsulation.h"
#include "libs/packet/internal/ieee80211.h"
#include "libs/packet/internal/network_layer.h"

namespace flowcast::packet {
namespace {

using namespace internal;

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kFamilyBytes = 4;
constexpr std::size_t kSllBytes = 16;
constexpr std::size_t kSll2Bytes = 20;

bool DecodeEthernet(Bytes frame, Packet& packet) {
  if (frame.size() < kEthernetBytes) return false;
  DecodeEtherType(U16(frame, 12), frame.subspan(kEthernetBytes), packet);
  return true;
}

// The address family comes in the byte order of the capturing host; all families are small numbers.
bool DecodeLoopback(Bytes frame, Packet& packet) {
  if (frame.size() < kFamilyBytes) return false;
  const std::uint32_t big = U32(frame, 0);
  switch (big > 0xffff ? LittleU32(frame, 0) : big) {
    case 2:
      DecodeIpv4(frame.subspan(kFamilyBytes), packet);
      break;
    case 10:  // AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS
    case 23:
    case 24:
    case 28:
    case 30:
      DecodeIpv6(frame.subspan(kFamilyBytes), packet);
      break;
    default:
      break;
  }
  return true;
}

bool DecodePppFrame(Bytes frame, Packet& packet) {
  if (frame.size() < 2) return false;
  const bool framed = U16(frame, 0) == 0xff03;
  return DecodePpp(framed ? frame.subspan(2) : frame, packet);
}

bool DecodeSll(Bytes frame, Packet& packet) {
  if (frame.size() < kSllBytes) return false;
  DecodeEtherType(U16(frame, 14), frame.subspan(kSllBytes), packet);
  return true;
}

bool DecodeSll2(Bytes frame, Packet& packet) {
  if (frame.size() < kSll2Bytes) return false;
  DecodeEtherType(U16(frame, 0), frame.subspan(kSll2Bytes), packet);
  return true;
}

// Without a header of its own a frame can't be too short for it.
template <auto decode>
bool DecodeBare(Bytes frame, Packet& packet) {
  decode(frame, packet);
  return true;
}

using LinkDecoder = bool (*)(Bytes, Packet&);

LinkDecoder DecoderOf(LinkType link_type) {
  switch (link_type) {
    case LinkType::kEthernet:
      return DecodeEthernet;
    case LinkType::kNull:
    case LinkType::kLoop:
      return DecodeLoopback;
    case LinkType::kPpp:
      return DecodePppFrame;
    case LinkType::kRaw:
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd:
      return DecodeBare<DecodeIpOfEitherVersion>;
    case LinkType::kIpv4:
      return DecodeBare<DecodeIpv4>;
    case LinkType::kIpv6:
      return DecodeBare<DecodeIpv6>;
    case LinkType::kIeee80211:
      return DecodeIeee80211;
    case LinkType::kRadiotap:
      return DecodeRadiotap;
    case LinkType::kLinuxSll:
      return DecodeSll;
    case LinkType::kLinuxSll2:
      return DecodeSll2;
  }
  return nullptr;
}

}  // namespace

std::string_view ToString(DecodeError error) {
  return error == DecodeError::kUnknownLinkType ? "unknown link type" : "truncated link-layer header";
}

bool IsDecodable(LinkType link_type) { return DecoderOf(link_type) != nullptr; }

tl::expected<void, DecodeError> Decode(LinkType link_type, std::span<const std::byte> frame, Packet& packet) {
  packet.vlan = 0;
  packet.tcp_flags = 0;
  packet.traffic_class = 0;
  packet.ttl = 0;
  packet.flow = FlowKey{};
  const LinkDecoder decode = DecoderOf(link_type);
  if (decode == nullptr) return tl::unexpected(DecodeError::kUnknownLinkType);
  if (!decode(frame, packet)) return tl::unexpected(DecodeError::kTruncatedLinkHeader);
  return {};
}

}  // namespace flowcast::packet
