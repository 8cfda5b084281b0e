// The link types that the decoder's fuzzer and its seeds choose from, by the first byte of an input.
#pragma once

#include <array>
#include <cstdint>

#include "libs/packet/decoder.h"

namespace flowcast::fuzz {

using packet::LinkType;

inline constexpr std::array kLinkTypes = {LinkType::kEthernet,   LinkType::kNull,
                                          LinkType::kSlip,       LinkType::kPpp,
                                          LinkType::kFddi,       LinkType::kAtmRfc1483,
                                          LinkType::kPppHdlc,    LinkType::kRaw,
                                          LinkType::kCiscoHdlc,  LinkType::kIeee80211,
                                          LinkType::kFrameRelay, LinkType::kLinuxSll,
                                          LinkType::kRadiotap,   LinkType::kPpi,
                                          LinkType::kIpv4,       LinkType::kIpv6,
                                          LinkType::kNflog,      LinkType::kIpOverInfiniband,
                                          LinkType::kLinuxSll2,  static_cast<LinkType>(147)};

/// The first byte's highest bit opens all tunnels.
inline constexpr std::uint8_t kOpenTunnels = 0x80;

}  // namespace flowcast::fuzz
