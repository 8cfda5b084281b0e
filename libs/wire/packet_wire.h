// Packet batches as bytes. Decoding refuses what a later fold could not trust.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/packet/packet.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

std::string Encode(const packet::PacketBatch& batch);

/// Columns of equal length, indexes within their tables and times within +-2^62 ns are guaranteed.
tl::expected<packet::PacketBatch, WireError> DecodePacketBatch(std::string_view bytes);

}  // namespace flowcast::wire
