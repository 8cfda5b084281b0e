// From the bytes of a captured frame to a Packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/packet/packet.h"
#include "libs/packet/tunnels.h"

namespace flowcast::packet {

/// LINKTYPE_ values of capture files (https://www.tcpdump.org/linktypes.html); others exist and are
/// undecodable.
enum class LinkType : std::uint16_t {
  kNull = 0,
  kEthernet = 1,
  kSlip = 8,
  kPpp = 9,
  kFddi = 10,
  kAtmRfc1483 = 11,
  kRawBsd = 12,
  kRawOpenBsd = 14,
  kPppHdlc = 50,
  kRaw = 101,
  kCiscoHdlc = 104,
  kIeee80211 = 105,
  kFrameRelay = 107,
  kLoop = 108,
  kLinuxSll = 113,
  kRadiotap = 127,
  kPpi = 192,
  kIpv4 = 228,
  kIpv6 = 229,
  kNflog = 239,
  kIpOverInfiniband = 242,
  kLinuxSll2 = 276,
};

/// Whether Decode knows the link type.
bool IsDecodable(LinkType link_type);

/// Why a frame could not be decoded at all.
enum class DecodeError { kUnknownLinkType, kTruncatedLinkHeader };
std::string_view ToString(DecodeError error);

/// Fills everything of `packet` that the frame tells (flow, vlan, tcp_*, traffic_class, ttl, cast);
/// time, wire length and interface are the caller's. A frame whose link-layer header is whole but
/// whose upper layers are damaged, cut short or not IP is decoded as far as it goes and is no
/// error: it loaded the link. Behind 802.1Q, QinQ, MPLS, Ethernet over MPLS and PPPoE the inner packet
/// counts, and likewise within `tunnels`: there everything but vlan is the innermost IP packet's that
/// can be reached, at most four deep. Later fragments of a tunnel's packets show the tunnel only.
/// Reads nothing past `frame`; never throws. Thread-safe.
tl::expected<void, DecodeError> Decode(LinkType link_type, std::span<const std::byte> frame, Packet& packet,
                                       Tunnels tunnels = {});

}  // namespace flowcast::packet
