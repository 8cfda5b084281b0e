// The kinds that packets are counted by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/packet/packet.h"

namespace flowcast::packet {

/// Every packet is of exactly one kind.
enum class Kind : std::uint8_t {
  kTcp,
  kUdp,
  kIcmp,  // also of IPv6
  kSctp,
  kOtherIp,  // other protocols, and IP whose header is damaged or cut short
  kArp,
  kMpls,         // that carries no IP
  kPppoe,        // that carries no IP: discovery, PPP's own negotiation
  kNoEtherType,  // LLC (STP, CDP, IS-IS), most of 802.11, PPP without IP
  kOther,        // other EtherTypes: LLDP, LACP, EAPOL, PROFINET, ...
};
inline constexpr std::size_t kKinds = 10;

/// Cheap enough for every packet: a table for IP.
Kind KindOf(const FlowKey& flow);
inline Kind KindOf(const Packet& packet) { return KindOf(packet.flow); }

/// "tcp", "udp", "icmp", "sctp", "other_ip", "arp", "mpls", "pppoe", "no_ether_type", "other".
std::string_view Name(Kind kind);

}  // namespace flowcast::packet
