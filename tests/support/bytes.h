// Byte strings that tests put together by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace flowcast::support {

using Bytes = std::vector<std::byte>;

inline Bytes Raw(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

inline Bytes Text(std::string_view text) {
  Bytes bytes;
  for (const char letter : text) bytes.push_back(static_cast<std::byte>(letter));
  return bytes;
}

inline Bytes Zeros(std::size_t count) { return Bytes(count); }

inline Bytes operator+(Bytes left, const Bytes& right) {
  for (const std::byte byte : right) left.push_back(byte);
  return left;
}

inline Bytes First(const Bytes& bytes, std::size_t count) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
}

enum class Order { kBig, kLittle };

/// The `width` low bytes of `value`.
inline Bytes Number(std::uint64_t value, int width, Order order = Order::kBig) {
  Bytes bytes;
  for (int i = 0; i < width; ++i) {
    const int shift = 8 * (order == Order::kBig ? width - 1 - i : i);
    bytes.push_back(static_cast<std::byte>(value >> shift));
  }
  return bytes;
}

}  // namespace flowcast::support
