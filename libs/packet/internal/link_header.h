// Link-layer headers, each as the registry of link types describes it.
#pragma once

#include "libs/packet/internal/decoding.h"

namespace flowcast::packet::internal {

/// All return false when the header is cut short, and go on as far as what it carries allows.
bool DecodeEthernet(Bytes frame, Decoding& decoding);
bool DecodeFddi(Bytes frame, Decoding& decoding);
bool DecodeLoopback(Bytes frame, Decoding& decoding);
bool DecodePppFrame(Bytes frame, Decoding& decoding);
bool DecodeCiscoHdlc(Bytes frame, Decoding& decoding);
bool DecodePppOrCiscoHdlc(Bytes frame, Decoding& decoding);
bool DecodeFrameRelay(Bytes frame, Decoding& decoding);
bool DecodeSlip(Bytes frame, Decoding& decoding);
bool DecodeIpOverInfiniband(Bytes frame, Decoding& decoding);
bool DecodeNflog(Bytes frame, Decoding& decoding);
bool DecodeSll(Bytes frame, Decoding& decoding);
bool DecodeSll2(Bytes frame, Decoding& decoding);

}  // namespace flowcast::packet::internal
