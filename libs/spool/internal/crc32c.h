// The Castagnoli CRC, as iSCSI (RFC 3720) and most storage formats use it.
#pragma once

#include <cstdint>
#include <string_view>

namespace flowcast::spool::internal {

std::uint32_t Crc32c(std::string_view bytes);

}  // namespace flowcast::spool::internal
