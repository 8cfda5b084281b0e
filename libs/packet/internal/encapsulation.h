// What stands between a link-layer header and IP: VLAN tags, MPLS labels, PPPoE, PPP, LLC/SNAP.
#pragma once

#include "libs/packet/internal/decoding.h"

namespace flowcast::packet::internal {

/// `payload` is what follows an EtherType. Keeps the innermost EtherType that could be reached;
/// below 0x0600 the field is an IEEE 802.3 length, and LLC follows.
void DecodeEtherType(std::uint16_t ether_type, Bytes payload, Decoding& decoding);

/// `bytes` starts with PPP's protocol field, of one or two bytes. False when that is cut short.
bool DecodePpp(Bytes bytes, Decoding& decoding);

/// `bytes` starts with an LLC header. Without SNAP there is no EtherType.
void DecodeLlc(Bytes bytes, Decoding& decoding);

/// `bytes` starts with SNAP's organization code.
void DecodeSnap(Bytes bytes, Decoding& decoding);

}  // namespace flowcast::packet::internal
