// IPv4, IPv6 and the transport headers behind them.
#pragma once

#include "libs/packet/internal/decoding.h"

namespace flowcast::packet::internal {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

/// `bytes` starts with the IP header. Each sets ether_type, and the rest of the flow as far as the
/// header is whole and sound, and ip_payload.
void DecodeIpv4(Bytes bytes, Decoding& decoding);
void DecodeIpv6(Bytes bytes, Decoding& decoding);

/// By the version in the first four bits; changes nothing when that is neither 4 nor 6.
void DecodeIpOfEitherVersion(Bytes bytes, Decoding& decoding);

}  // namespace flowcast::packet::internal
