// Wireless frames, with and without radiotap.
#pragma once

#include "libs/packet/internal/decoding.h"

namespace flowcast::packet::internal {

/// Both return false when the link-layer header is cut short. Management, control, encrypted and
/// aggregated frames have no EtherType.
bool DecodeIeee80211(Bytes frame, Decoding& decoding);
bool DecodeRadiotap(Bytes frame, Decoding& decoding);

}  // namespace flowcast::packet::internal
