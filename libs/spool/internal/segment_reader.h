// Reads the intact entries of one segment, past whatever is damaged in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/spool/internal/entry.h"
#include "libs/spool/internal/folder.h"

namespace flowcast::spool::internal {

struct Entry {
  EntryHeader header;
  std::string_view payload;  // valid until the next call
};

/// Not thread-safe.
class SegmentReader {
 public:
  SegmentReader(Descriptor file, std::uint64_t offset) : file_(std::move(file)), offset_(offset) {}

  /// The next intact entry whose number is larger than `after`, wholly before the file's byte `end`;
  /// nothing when there is none. A file that cannot be read counts as one that ends there.
  std::optional<Entry> Next(std::uint64_t after, std::uint64_t end);
  /// Behind the last intact entry.
  std::uint64_t offset() const { return offset_; }
  /// In front of it and not part of any.
  std::uint64_t damaged_bytes() const { return damaged_bytes_; }

 private:
  std::string_view View(std::uint64_t offset, std::size_t size, std::uint64_t end);
  std::uint64_t FindMagic(std::uint64_t from, std::uint64_t end);

  Descriptor file_;
  std::uint64_t offset_;
  std::uint64_t damaged_bytes_ = 0;
  std::string window_;  // the part of the file that was read last
  std::uint64_t window_offset_ = 0;
};

}  // namespace flowcast::spool::internal
