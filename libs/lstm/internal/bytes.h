// Numbers as little-endian bytes and back.
#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "libs/base/hash.h"

namespace flowcast::lstm {

/// The bytes are not what they should be; never leaves the library.
struct BadBytes : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <std::unsigned_integral T>
void Put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

/// Reads from the front. Throws BadBytes.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Take(std::size_t size) {
    if (size > bytes_.size()) throw BadBytes("the bytes end too early");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  template <std::unsigned_integral T>
  T Get() {
    T value = 0;
    const std::string_view taken = Take(sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value | (static_cast<T>(static_cast<unsigned char>(taken[i])) << (8 * i)));
    }
    return value;
  }

  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

/// Appends the FNV-1a of what is there.
inline void Seal(std::string& out) { Put(out, base::Fnv1a64(out)); }

/// What Seal was called on. Throws BadBytes unless it begins with `magic` and the hash is right.
inline std::string_view Unseal(std::string_view bytes, std::string_view magic) {
  if (!bytes.starts_with(magic)) throw BadBytes("they do not begin with " + std::string(magic));
  if (bytes.size() < magic.size() + sizeof(std::uint64_t)) throw BadBytes("the bytes end too early");
  const std::string_view content = bytes.substr(0, bytes.size() - sizeof(std::uint64_t));
  if (Cursor(bytes.substr(content.size())).Get<std::uint64_t>() != base::Fnv1a64(content)) {
    throw BadBytes("the checksum does not match: they are cut or damaged");
  }
  return content;
}

}  // namespace flowcast::lstm
