// What the layers of one frame hand to each other.
#pragma once

#include "libs/packet/internal/bytes.h"
#include "libs/packet/packet.h"

namespace flowcast::packet::internal {

/// Link-layer encapsulations may nest without end in a hostile frame; deeper ones are not looked into.
inline constexpr int kMostNested = 4;

struct Decoding {
  Packet& packet;
  Bytes ip_payload{};  // what follows the IP header (and extensions) found last; empty in later fragments
  int nested = 0;      // LLC headers and pseudowires entered
};

}  // namespace flowcast::packet::internal
