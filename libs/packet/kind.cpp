// Kinds by protocol and EtherType, and their names.
#include "libs/packet/kind.h"

#include <array>

namespace flowcast::packet {
namespace {

constexpr std::array<Kind, 256> kByProtocol = [] {
  std::array<Kind, 256> kinds{};
  kinds.fill(Kind::kOtherIp);
  kinds[static_cast<std::size_t>(Protocol::kTcp)] = Kind::kTcp;
  kinds[static_cast<std::size_t>(Protocol::kUdp)] = Kind::kUdp;
  kinds[static_cast<std::size_t>(Protocol::kIcmp)] = Kind::kIcmp;
  kinds[static_cast<std::size_t>(Protocol::kIcmp6)] = Kind::kIcmp;
  kinds[static_cast<std::size_t>(Protocol::kSctp)] = Kind::kSctp;
  return kinds;
}();

constexpr std::array<std::string_view, kKinds> kNames = {"tcp", "udp",  "icmp",  "sctp",          "other_ip",
                                                         "arp", "mpls", "pppoe", "no_ether_type", "other"};

Kind KindOfEtherType(std::uint16_t ether_type) {
  switch (ether_type) {
    case 0:
      return Kind::kNoEtherType;
    case 0x0800:
    case 0x86dd:
      return Kind::kOtherIp;
    case 0x0806:
      return Kind::kArp;
    case 0x8847:
    case 0x8848:
      return Kind::kMpls;
    case 0x8863:
    case 0x8864:
      return Kind::kPppoe;
    default:
      return Kind::kOther;
  }
}

}  // namespace

Kind KindOf(const FlowKey& flow) {
  if (flow.source.version != 0) [[likely]] {
    return kByProtocol[flow.protocol];
  }
  return KindOfEtherType(flow.ether_type);
}

std::string_view Name(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

}  // namespace flowcast::packet
