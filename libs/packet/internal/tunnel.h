// Packets within packets.
#pragma once

#include "libs/packet/internal/decoding.h"
#include "libs/packet/tunnels.h"

namespace flowcast::packet::internal {

/// Replaces the flow of `decoding` and what goes with it (not the VLAN) by those of the innermost IP
/// packet within `tunnels`, at most four deep. Where what is inside is no IP or is damaged, the last
/// IP packet outside of it stays.
void OpenTunnels(Tunnels tunnels, Decoding& decoding);

}  // namespace flowcast::packet::internal
