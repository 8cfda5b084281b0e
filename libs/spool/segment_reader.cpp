// Entry by entry through a window of the file; behind damage the next magic is looked for.
#include "libs/spool/internal/segment_reader.h"

#include <algorithm>

#include "libs/spool/internal/crc32c.h"

namespace flowcast::spool::internal {
namespace {

constexpr std::size_t kWindowBytes = 256 << 10;

}  // namespace

std::optional<Entry> SegmentReader::Next(std::uint64_t after, std::uint64_t end) {
  std::uint64_t damaged = 0;
  for (std::uint64_t at = offset_; at < end;) {
    const auto header = DecodeHeader(View(at, kHeaderBytes, end));
    const std::uint64_t next = header ? at + kHeaderBytes + header->payload_bytes : 0;
    if (!header || next > end) {
      const std::uint64_t found = FindMagic(at + 1, end);
      damaged += found - at;
      at = found;
      continue;
    }
    const std::string_view payload = View(at + kHeaderBytes, header->payload_bytes, end);
    if (payload.size() != header->payload_bytes || Crc32c(payload) != header->payload_crc) {
      damaged += next - at;
      at = next;
      continue;
    }
    at = offset_ = next;
    damaged_bytes_ += std::exchange(damaged, 0);
    if (header->number > after) return Entry{*header, payload};
  }
  return {};
}

std::uint64_t SegmentReader::FindMagic(std::uint64_t from, std::uint64_t end) {
  while (from < end) {
    const std::string_view view = View(from, kWindowBytes, end);
    if (view.size() < kEntryMagic.size()) return end;
    const std::size_t found = view.find(kEntryMagic);
    if (found != std::string_view::npos) return from + found;
    from += view.size() - kEntryMagic.size() + 1;
  }
  return end;
}

/// Never reads behind `end`: what stands there may be overwritten later.
std::string_view SegmentReader::View(std::uint64_t offset, std::size_t size, std::uint64_t end) {
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - std::min(offset, end)));
  const std::uint64_t window_end = window_offset_ + window_.size();
  if (offset < window_offset_ || offset + size > window_end) {
    const std::uint64_t wanted = std::min<std::uint64_t>(std::max(size, kWindowBytes), end - offset);
    window_.resize(static_cast<std::size_t>(wanted));
    window_.resize(file_.Read(window_.data(), window_.size(), offset));
    window_offset_ = offset;
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_offset_), size);
}

}  // namespace flowcast::spool::internal
