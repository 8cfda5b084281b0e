// The decoder of each link type.
#include "libs/packet/decoder.h"

#include "libs/packet/internal/encapsulation.h"
#include "libs/packet/internal/ieee80211.h"
#include "libs/packet/internal/link_header.h"
#include "libs/packet/internal/network_layer.h"
#include "libs/packet/internal/tunnel.h"

namespace flowcast::packet {
namespace {

using namespace internal;

// Without a header of its own a frame can't be too short for it.
template <auto decode>
bool DecodeBare(Bytes frame, Decoding& decoding) {
  decode(frame, decoding);
  return true;
}

bool DecodePpi(Bytes frame, Decoding& decoding);

// By the group bit of Ethernet's destination address, of which all ones is the broadcast address.
Cast EthernetCastOf(Bytes frame) {
  if ((U8(frame, 0) & 1) == 0) [[likely]]
    return Cast::kUnicast;
  return U32(frame, 0) == 0xffffffff && U16(frame, 4) == 0xffff ? Cast::kBroadcast : Cast::kMulticast;
}

using LinkDecoder = bool (*)(Bytes, Decoding&);

LinkDecoder DecoderOf(LinkType link_type) {
  switch (link_type) {
    case LinkType::kEthernet:
      return DecodeEthernet;
    case LinkType::kNull:
    case LinkType::kLoop:
      return DecodeLoopback;
    case LinkType::kSlip:
      return DecodeSlip;
    case LinkType::kPpp:
      return DecodePppFrame;
    case LinkType::kFddi:
      return DecodeFddi;
    case LinkType::kAtmRfc1483:
      return DecodeBare<DecodeLlc>;
    case LinkType::kPppHdlc:
      return DecodePppOrCiscoHdlc;
    case LinkType::kCiscoHdlc:
      return DecodeCiscoHdlc;
    case LinkType::kFrameRelay:
      return DecodeFrameRelay;
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
    case LinkType::kPpi:
      return DecodePpi;
    case LinkType::kNflog:
      return DecodeNflog;
    case LinkType::kIpOverInfiniband:
      return DecodeIpOverInfiniband;
    case LinkType::kLinuxSll:
      return DecodeSll;
    case LinkType::kLinuxSll2:
      return DecodeSll2;
  }
  return nullptr;
}

// Names the link type of what follows it.
bool DecodePpi(Bytes frame, Decoding& decoding) {
  constexpr std::size_t kFixedBytes = 8;
  if (frame.size() < kFixedBytes) return false;
  const std::size_t length = LittleU16(frame, 2);
  if (length < kFixedBytes || length > frame.size()) return false;
  const auto link_type = static_cast<LinkType>(LittleU32(frame, 4) & 0xffff);
  const LinkDecoder decode = link_type == LinkType::kPpi ? nullptr : DecoderOf(link_type);
  return decode == nullptr || decode(frame.subspan(length), decoding);
}

}  // namespace

std::string_view ToString(DecodeError error) {
  return error == DecodeError::kUnknownLinkType ? "unknown link type" : "truncated link-layer header";
}

bool IsDecodable(LinkType link_type) { return DecoderOf(link_type) != nullptr; }

tl::expected<void, DecodeError> Decode(LinkType link_type, std::span<const std::byte> frame, Packet& packet,
                                       Tunnels tunnels) {
  packet.vlan = 0;
  packet.tcp_flags = 0;
  packet.traffic_class = 0;
  packet.ttl = 0;
  packet.tcp_sequence = 0;
  packet.tcp_length = 0;
  packet.flow = FlowKey{};
  const LinkDecoder decode = DecoderOf(link_type);
  if (decode == nullptr) return tl::unexpected(DecodeError::kUnknownLinkType);
  Decoding decoding{packet};
  // Most frames are Ethernet, and a call by name costs less.
  const bool whole = decode == DecodeEthernet ? DecodeEthernet(frame, decoding) : decode(frame, decoding);
  if (!whole) return tl::unexpected(DecodeError::kTruncatedLinkHeader);
  packet.cast = decode == DecodeEthernet ? EthernetCastOf(frame) : CastOf(packet.flow.destination);
  if (tunnels.Any()) [[unlikely]] {
    OpenTunnels(tunnels, decoding);
  }
  return {};
}

}  // namespace flowcast::packet
