// Numbers out of captured bytes. Callers check the length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace flowcast::packet::internal {

using Bytes = std::span<const std::byte>;

inline std::uint8_t U8(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

/// Network byte order.
inline std::uint16_t U16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(U8(bytes, at) << 8 | U8(bytes, at + 1));
}
inline std::uint32_t U32(Bytes bytes, std::size_t at) {
  return std::uint32_t{U16(bytes, at)} << 16 | U16(bytes, at + 2);
}

inline std::uint16_t LittleU16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(U8(bytes, at + 1) << 8 | U8(bytes, at));
}
inline std::uint32_t LittleU32(Bytes bytes, std::size_t at) {
  return std::uint32_t{LittleU16(bytes, at + 2)} << 16 | LittleU16(bytes, at);
}

}  // namespace flowcast::packet::internal
