// Hashes that are part of formats: the partition function and fingerprints. Never change them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flowcast::base {

/// MurmurHash2, 32 bits, as Kafka's Java client computes it for keys (seed 0x9747b28c).
std::uint32_t Murmur2(std::string_view bytes);

/// The partition of a key among `partitions` (> 0): (murmur2 & 0x7fffffff) mod partitions, what
/// Kafka's Java client would choose. Every flowcast producer sets it explicitly.
std::int32_t PartitionOf(std::string_view key, std::int32_t partitions);

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
constexpr std::uint64_t Fnv1a64(std::string_view bytes, std::uint64_t hash = 0xcbf29ce484222325ULL) {
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

/// 16 lower-case hexadecimal digits.
std::string Hex(std::uint64_t value);

}  // namespace flowcast::base
