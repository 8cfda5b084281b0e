// Murmur2 as Kafka's clients compute it.
#include "libs/base/hash.h"

#include <cstdio>
#include <cstring>

namespace flowcast::base {
namespace {

constexpr std::uint32_t kMultiplier = 0x5bd1e995;

std::uint32_t Mix(std::uint32_t word) {
  word *= kMultiplier;
  word ^= word >> 24;
  return word * kMultiplier;
}

}  // namespace

std::uint32_t Murmur2(std::string_view bytes) {
  std::uint32_t hash = 0x9747b28cU ^ static_cast<std::uint32_t>(bytes.size());
  while (bytes.size() >= 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes.data(), 4);
    hash = (hash * kMultiplier) ^ Mix(word);
    bytes.remove_prefix(4);
  }
  if (!bytes.empty()) {
    std::uint32_t tail = 0;
    std::memcpy(&tail, bytes.data(), bytes.size());
    hash = (hash ^ tail) * kMultiplier;
  }
  hash = (hash ^ (hash >> 13)) * kMultiplier;
  return hash ^ (hash >> 15);
}

std::int32_t PartitionOf(std::string_view key, std::int32_t partitions) {
  return static_cast<std::int32_t>(Murmur2(key) & 0x7fffffffU) % partitions;
}

std::string Hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace flowcast::base
