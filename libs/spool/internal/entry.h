// How a record stands in a segment (docs/formats.md, "Spool").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flowcast::spool::internal {

inline constexpr std::size_t kHeaderBytes = 48;
inline constexpr std::size_t kMaxPayloadBytes = 32 << 20;
inline constexpr std::string_view kEntryMagic = "FcS1";

struct EntryHeader {
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;
  std::int32_t partition = 0;
  std::uint64_t number = 0;          // 1, 2, 3, ... over the life of the folder
  std::uint64_t packets = 0;         // in this record
  std::uint64_t packets_before = 0;  // in all records with smaller numbers
};

std::array<char, kHeaderBytes> EncodeHeader(const EntryHeader& header);
/// Nothing when the bytes do not begin with a header that is intact and plausible.
std::optional<EntryHeader> DecodeHeader(std::string_view bytes);

/// The number of the last record that was released, in a file of its own.
inline constexpr std::size_t kPositionBytes = 16;
std::array<char, kPositionBytes> EncodePosition(std::uint64_t number);
std::optional<std::uint64_t> DecodePosition(std::string_view bytes);

}  // namespace flowcast::spool::internal
