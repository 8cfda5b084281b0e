// Which windows a batch of packets is in, for the debug line of the batch.
#pragma once

#include <string>

#include "libs/packet/packet.h"

namespace flowcast::services {

/// "ID (LINK START), ID (LINK START), ..." by link and start: the windows of `length`, one every `hop`, that
/// its packets fall into, whether they came in time or not.
std::string WindowsOf(const packet::PacketBatch& batch, base::Duration length, base::Duration hop);

}  // namespace flowcast::services
