// Segments: made, filled, found again, read and removed.
#include "libs/spool/journal.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "libs/base/text.h"
#include "libs/spool/internal/crc32c.h"

namespace flowcast::spool {
namespace {

using internal::EntryHeader;
using internal::kHeaderBytes;
using internal::SegmentReader;

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::size_t kSegmentDigits = 20;
constexpr const char* kPositionName = "position";

std::string SegmentName(std::uint64_t first) {
  const std::string digits = std::to_string(first);
  return std::string(kSegmentDigits - digits.size(), '0') + digits + std::string(kSegmentSuffix);
}

std::optional<std::uint64_t> SegmentNumber(const std::string& name) {
  if (name.size() != kSegmentDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return {};
  std::uint64_t number = 0;
  for (const char digit : name.substr(0, kSegmentDigits)) {
    if (digit < '0' || digit > '9') return {};
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return SegmentName(number) == name ? std::optional(number) : std::nullopt;
}

std::string Text(const Amount& amount) {
  return base::Grouped(amount.records) + " batches of " + base::Grouped(amount.packets) + " packets";
}

}  // namespace

Journal::Journal(const JournalOptions& options, base::Log log)
    : log_(std::move(log)),
      folder_(options.folder, options.owner),
      max_bytes_(options.max_bytes),
      segment_bytes_(std::clamp<std::uint64_t>(options.max_bytes / 8, 1, options.segment_bytes)),
      sync_(options.sync) {
  const internal::ActingAs acting(options.owner);
  position_file_ = folder_.OpenOrCreate(kPositionName);
  Recover();
  ReportFound();
}

Journal::~Journal() {
  if (released_ < last_) return;
  writer_ = {};
  RemoveReleased();
}

void Journal::Recover() {
  std::array<char, internal::kPositionBytes + 1> bytes{};
  const std::size_t size = position_file_.Read(bytes.data(), bytes.size(), 0);
  if (const auto position = internal::DecodePosition({bytes.data(), size})) last_ = released_ = *position;
  std::vector<std::uint64_t> firsts;
  for (const std::string& name : folder_.List()) {
    if (const auto first = SegmentNumber(name)) firsts.push_back(*first);
  }
  std::sort(firsts.begin(), firsts.end());
  for (const std::uint64_t first : firsts) RecoverSegment(first);
  cursor_.number = released_;
  found_.left = unread_;
}

void Journal::RecoverSegment(std::uint64_t first) {
  internal::Descriptor file = folder_.Open(SegmentName(first));
  if (!file.is_open()) {
    log_(base::LogLevel::kWarning,
         "spool: " + SegmentName(first) + " can't be opened: " + std::string(std::strerror(errno)));
    return;
  }
  const std::uint64_t size = file.size();
  const int number = file.number();
  const std::uint64_t before = last_;
  SegmentReader reader(std::move(file), 0);
  while (const auto entry = reader.Next(last_, size)) RecoverEntry(entry->header);
  found_.damaged_bytes += reader.damaged_bytes();
  found_.torn_bytes += size - reader.offset();
  if (last_ == before) return folder_.Remove(SegmentName(first));  // nothing of use in it
  if (size > reader.offset() && ftruncate(number, static_cast<off_t>(reader.offset())) != 0) {
    log_(base::LogLevel::kWarning, "spool: " + SegmentName(first) + " can't be cut: " + std::strerror(errno));
  }
  segments_.push_back({first, last_, reader.offset()});
  bytes_ += reader.offset();
}

void Journal::RecoverEntry(const EntryHeader& header) {
  if (last_ > 0) found_.lost.records += header.number - last_ - 1;
  // Without an intact record before it nobody knows.
  if (unread_.records > 0)
    found_.lost.packets += header.packets_before - std::min(header.packets_before, packets_);
  last_ = header.number;
  packets_ = header.packets_before + header.packets;
  ++unread_.records;
  unread_.packets += header.packets;
}

void Journal::ReportFound() const {
  if (found_.left.records > 0) {
    log_(base::LogLevel::kInfo, "spool: " + Text(found_.left) + " of an earlier run wait in " +
                                    folder_.path() + "; they are sent first");
  }
  if (found_.lost.records + found_.damaged_bytes + found_.torn_bytes > 0) {
    log_(base::LogLevel::kWarning, "spool: " + folder_.path() +
                                       " was damaged: " + base::Grouped(found_.damaged_bytes) +
                                       " bytes unreadable, " + base::Grouped(found_.torn_bytes) +
                                       " cut off torn ends, " + Text(found_.lost) + " known to be lost");
  }
}

bool Journal::Append(std::int32_t partition, std::uint64_t packets, std::string_view bytes) {
  if (bytes.size() > internal::kMaxPayloadBytes) return Refuse("a batch is larger than 32 MiB");
  const std::uint64_t needed = kHeaderBytes + bytes.size();
  if (!MakeRoom(needed)) return false;
  const auto header = internal::EncodeHeader({.payload_bytes = static_cast<std::uint32_t>(bytes.size()),
                                              .payload_crc = internal::Crc32c(bytes),
                                              .partition = partition,
                                              .number = last_ + 1,
                                              .packets = packets,
                                              .packets_before = packets_});
  Segment& segment = segments_.back();
  if (!writer_.Write({header.data(), header.size()}, bytes, segment.bytes) ||
      (sync_ && fdatasync(writer_.number()) != 0)) {
    Refuse(std::string("the disk takes no more: ") + std::strerror(errno));
    // Half a record, which a reader also knows by its checksum.
    [[maybe_unused]] const int cut = ftruncate(writer_.number(), static_cast<off_t>(segment.bytes));
    Seal();
    return false;
  }
  segment.last = ++last_;
  packets_ += packets;
  segment.bytes += needed;
  bytes_ += needed;
  ++unread_.records;
  unread_.packets += packets;
  obstacle_.clear();
  return true;
}

/// Leaves a writer whose segment takes so many bytes more.
bool Journal::MakeRoom(std::uint64_t bytes) {
  if (writer_.is_open() && segments_.back().bytes > 0 && segments_.back().bytes + bytes > segment_bytes_) {
    Seal();
  }
  if (bytes_ + bytes > max_bytes_) {
    return Refuse("the bound of " + base::Grouped(max_bytes_ >> 20) + " MiB is reached");
  }
  if (writer_.is_open()) return true;
  const std::uint64_t first = last_ + 1;
  writer_ = folder_.CreateEmpty(SegmentName(first));
  if (!writer_.is_open() || (sync_ && !folder_.Sync())) {
    writer_ = {};
    return Refuse(std::string("no segment can be made: ") + std::strerror(errno));
  }
  segments_.push_back({first, last_, 0});
  return true;
}

/// A segment is removed as a whole, so one that can't grow is no longer the one that is kept open.
void Journal::Seal() {
  if (segments_.back().bytes == 0) return;
  writer_ = {};
  RemoveReleased();
}

bool Journal::Refuse(std::string obstacle) {
  obstacle_ = std::move(obstacle);
  return false;
}

std::optional<Record> Journal::Read() {
  while (const Segment* segment = Unread()) {
    if (OpenReader(*segment)) {
      if (const auto entry = reader_->Next(cursor_.number, segment->bytes)) {
        cursor_ = {entry->header.number, segment->first, reader_->offset()};
        --unread_.records;
        unread_.packets -= std::min(unread_.packets, entry->header.packets);
        return Record{entry->header.number, entry->header.partition, entry->header.packets,
                      std::string(entry->payload)};
      }
    }
    cursor_.number = segment->last;  // no more of it can be read
  }
  if (unread_.records > 0) {
    log_(base::LogLevel::kWarning,
         "spool: " + Text(unread_) + " could not be read back from " + folder_.path() + " and are lost");
    lost_.records += unread_.records;
    lost_.packets += unread_.packets;
    unread_ = {};
  }
  return {};
}

/// The segment that the next record to read is in.
const Journal::Segment* Journal::Unread() const {
  const auto found = std::find_if(segments_.begin(), segments_.end(),
                                  [this](const Segment& segment) { return segment.last > cursor_.number; });
  return found == segments_.end() ? nullptr : &*found;
}

bool Journal::OpenReader(const Segment& segment) {
  const bool is_at_cursor = cursor_.segment == segment.first;
  if (reader_ && is_at_cursor) return true;
  internal::Descriptor file = folder_.Open(SegmentName(segment.first));
  if (!file.is_open()) return false;
  cursor_ = {cursor_.number, segment.first, is_at_cursor ? cursor_.offset : 0};
  reader_.emplace(std::move(file), cursor_.offset);
  return true;
}

void Journal::SkipUnread() {
  unread_ = {};
  reader_.reset();
  cursor_ = segments_.empty() ? Cursor{last_} : Cursor{last_, segments_.back().first, segments_.back().bytes};
}

void Journal::Release(std::uint64_t number) {
  if (number <= released_) return;
  released_ = number;
  const auto bytes = internal::EncodePosition(released_);
  position_file_.Write({bytes.data(), bytes.size()}, {}, 0);  // without it more is sent again
  RemoveReleased();
}

void Journal::RemoveReleased() {
  while (!segments_.empty() && segments_.front().last <= released_) {
    if (segments_.size() == 1 && writer_.is_open()) return;
    // Else the position could be one from before records that are gone, which would then count as lost.
    if (sync_) static_cast<void>(fdatasync(position_file_.number()));
    folder_.Remove(SegmentName(segments_.front().first));
    bytes_ -= segments_.front().bytes;
    segments_.pop_front();
  }
}

}  // namespace flowcast::spool
