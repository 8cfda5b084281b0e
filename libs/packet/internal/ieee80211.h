// Wireless frames, with and without radiotap.
#pragma once

#include "libs/packet/internal/bytes.h"
#include "libs/packet/packet.h"

namespace flowcast::packet::internal {

/// Both return false when the link-layer header is cut short. Management, control, encrypted and
/// aggregated frames have no EtherType.
bool DecodeIeee80211(Bytes frame, Packet& packet);
bool DecodeRadiotap(Bytes frame, Packet& packet);

}  // namespace flowcast::packet::internal
