// Names by which a window is followed through logs and topics. None is stored: each is computed from what a
// record says anyway, so it is the same in every service, after a re-fold and at any parallelism.
// docs/formats.md specifies them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/time.h"

namespace flowcast::trace {

/// Of a window of a link, and of the sequence, the forecasts and the changes of alerts that it was the last
/// known window of: 32 hexadecimal digits. The text "LINK\0START_NS\0LENGTH_NS" (numbers as decimals) is
/// hashed by FNV-1a, 64 bits, for the first 16 digits, and twice over for the others.
std::string IdOf(std::string_view link, base::EventTime start, base::Duration length);

/// The same for what is told at the end of the window.
std::string IdOfEnd(std::string_view link, base::EventTime end, base::Duration length);

/// W3C Trace Context, version 00: this trace, and as the parent the FNV-1a of `event`. Flagged as sampled:
/// the services' debug lines are its record.
std::string Parent(std::string_view trace_id, std::string_view event);

/// "SOURCE/EPOCH/PARTITION/SEQUENCE": the batch, and by its last number the first packet in it.
std::string BatchName(std::string_view source, std::uint64_t epoch, std::int32_t partition,
                      std::uint64_t sequence);

}  // namespace flowcast::trace
