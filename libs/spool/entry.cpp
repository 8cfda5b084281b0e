// Headers and positions as bytes: little-endian, each with a checksum of its own.
#include "libs/spool/internal/entry.h"

#include <algorithm>

#include "libs/spool/internal/crc32c.h"

namespace flowcast::spool::internal {
namespace {

constexpr std::string_view kPositionMagic = "FcP1";
constexpr std::uint64_t kLargest = std::uint64_t{1} << 62;  // nothing counted here comes near

template <typename T>
void Put(char* at, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<char>(value >> (8 * i));
}

template <typename T>
T Get(std::string_view bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  }
  return value;
}

/// Magic, then the checksum of all that follows the checksum.
template <std::size_t size>
void Seal(std::array<char, size>& bytes, std::string_view magic) {
  std::copy(magic.begin(), magic.end(), bytes.begin());
  Put(bytes.data() + 4, Crc32c({bytes.data() + 8, size - 8}));
}

bool IsSealed(std::string_view bytes, std::string_view magic) {
  return bytes.substr(0, 4) == magic && Get<std::uint32_t>(bytes, 4) == Crc32c(bytes.substr(8));
}

}  // namespace

std::array<char, kHeaderBytes> EncodeHeader(const EntryHeader& header) {
  std::array<char, kHeaderBytes> bytes{};
  Put(bytes.data() + 8, header.payload_bytes);
  Put(bytes.data() + 12, header.payload_crc);
  Put(bytes.data() + 16, static_cast<std::uint32_t>(header.partition));
  Put(bytes.data() + 24, header.number);
  Put(bytes.data() + 32, header.packets);
  Put(bytes.data() + 40, header.packets_before);
  Seal(bytes, kEntryMagic);
  return bytes;
}

std::optional<EntryHeader> DecodeHeader(std::string_view bytes) {
  bytes = bytes.substr(0, kHeaderBytes);
  if (bytes.size() < kHeaderBytes || !IsSealed(bytes, kEntryMagic)) return {};
  EntryHeader header{.payload_bytes = Get<std::uint32_t>(bytes, 8),
                     .payload_crc = Get<std::uint32_t>(bytes, 12),
                     .partition = static_cast<std::int32_t>(Get<std::uint32_t>(bytes, 16)),
                     .number = Get<std::uint64_t>(bytes, 24),
                     .packets = Get<std::uint64_t>(bytes, 32),
                     .packets_before = Get<std::uint64_t>(bytes, 40)};
  const bool plausible = header.payload_bytes <= kMaxPayloadBytes && header.partition >= 0 &&
                         header.number > 0 && header.number < kLargest && header.packets < kLargest &&
                         header.packets_before < kLargest;
  if (!plausible) return {};
  return header;
}

std::array<char, kPositionBytes> EncodePosition(std::uint64_t number) {
  std::array<char, kPositionBytes> bytes{};
  Put(bytes.data() + 8, number);
  Seal(bytes, kPositionMagic);
  return bytes;
}

std::optional<std::uint64_t> DecodePosition(std::string_view bytes) {
  if (bytes.size() != kPositionBytes || !IsSealed(bytes, kPositionMagic)) return {};
  const auto number = Get<std::uint64_t>(bytes, 8);
  return number < kLargest ? std::optional(number) : std::nullopt;
}

}  // namespace flowcast::spool::internal
