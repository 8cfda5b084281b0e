// The secret that an anonymization depends on, and the file it is kept in.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace flowcast::anonymize {

/// The first half is the AES-128 key, the second half is what the padding is made of. Who has it
/// can undo the mapping.
struct Key {
  std::array<std::uint8_t, 32> bytes{};
};

/// Reads 32 raw bytes or 64 hexadecimal digits (white space after them is allowed) from a file
/// that belongs to this user or to root and that nobody else may read or write. A link is followed.
/// Make one with: (umask 077; head -c 32 /dev/urandom > FILE). Throws base::ConfigError naming the
/// file and the remedy, never the key.
Key LoadKey(const std::string& path);

}  // namespace flowcast::anonymize
