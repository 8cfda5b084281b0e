// A bounded first-in first-out journal of records on disk that survives its process.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/log.h"
#include "libs/spool/internal/folder.h"
#include "libs/spool/internal/segment_reader.h"

namespace flowcast::spool {

struct JournalOptions {
  std::string folder{};
  std::uint64_t max_bytes = std::uint64_t{1} << 30;       // of all its segments
  std::uint64_t segment_bytes = std::uint64_t{16} << 20;  // at most an eighth of max_bytes is used
  bool sync = false;             // each record is forced to the disk: it then survives the machine, too
  std::optional<Owner> owner{};  // whom the process, which may become them, is before it appends
};

struct Record {
  std::uint64_t number = 0;  // 1, 2, 3, ... in order of appending, over restarts
  std::int32_t partition = 0;
  std::uint64_t packets = 0;
  std::string bytes;
};

/// Throws base::ConfigError when a journal could not be opened there, as far as that shows without
/// making or changing anything.
void CheckFolder(const std::string& folder, const std::optional<Owner>& owner);

/// Records, and the packets in them.
struct Amount {
  std::uint64_t records = 0;
  std::uint64_t packets = 0;
  bool operator==(const Amount&) const = default;
};

/// What a journal found of its predecessor.
struct Found {
  Amount left;                      // intact and not released
  Amount lost;                      // neither: missing or damaged, as far as what is around it tells
  std::uint64_t damaged_bytes = 0;  // amid the segments
  std::uint64_t torn_bytes = 0;     // cut off their ends
};

/// Records are appended at one end, read in order by one reader, and released from the other end
/// once they are delivered. Written by plain writes: what was appended survives the end of the
/// process, however it comes; without `sync` the machine's end may cost the last seconds. A damaged
/// file costs what is damaged in it, and a full disk is like a bound that is reached. Not thread-safe.
class Journal {
 public:
  /// Takes the folder, finds what is there and cuts off torn ends. Throws base::ConfigError when the
  /// folder cannot be used, or another process does; says in the log what it found.
  Journal(const JournalOptions& options, base::Log log);
  /// Leaves no segment behind when everything is released.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// False when there is no room: the bound is reached, or the disk takes no more (see obstacle).
  bool Append(std::int32_t partition, std::uint64_t packets, std::string_view bytes);
  /// The number of the record appended last.
  std::uint64_t last_number() const { return last_; }
  /// The oldest record not read yet; nothing when there is none.
  std::optional<Record> Read();
  /// Everything appended counts as read: for one who still has it at hand.
  void SkipUnread();
  /// Everything up to this number is delivered and may go.
  void Release(std::uint64_t number);

  /// Not read yet.
  const Amount& unread() const { return unread_; }
  /// Could not be read any more although it was there; counted when the rest has been read.
  const Amount& lost() const { return lost_; }
  const Found& found() const { return found_; }
  /// On disk now.
  std::uint64_t bytes() const { return bytes_; }
  /// Why the last Append failed, empty when it did not: "the bound of 1024 MiB is reached".
  const std::string& obstacle() const { return obstacle_; }
  const std::string& folder() const { return folder_.path(); }

 private:
  struct Segment {
    std::uint64_t first = 0;  // its name
    std::uint64_t last = 0;   // number of its last record
    std::uint64_t bytes = 0;  // up to the end of that
  };
  struct Cursor {
    std::uint64_t number = 0;   // read up to here
    std::uint64_t segment = 0;  // the first number of the segment that the offset is of
    std::uint64_t offset = 0;
  };

  void Recover();
  void RecoverSegment(std::uint64_t first);
  void RecoverEntry(const internal::EntryHeader& header);
  void ReportFound() const;
  bool MakeRoom(std::uint64_t bytes);
  void Seal();
  bool Refuse(std::string obstacle);
  const Segment* Unread() const;
  bool OpenReader(const Segment& segment);
  void RemoveReleased();

  base::Log log_;
  internal::Folder folder_;
  std::uint64_t max_bytes_;
  std::uint64_t segment_bytes_;
  bool sync_;
  internal::Descriptor position_file_;
  std::deque<Segment> segments_;  // the last one is written to while there is a writer
  internal::Descriptor writer_;
  std::optional<internal::SegmentReader> reader_;  // of the cursor's segment
  Cursor cursor_;
  std::uint64_t last_ = 0;     // appended
  std::uint64_t packets_ = 0;  // in everything appended, since numbers or packets_ began
  std::uint64_t released_ = 0;
  Amount unread_;
  Amount lost_;
  Found found_;
  std::uint64_t bytes_ = 0;
  std::string obstacle_;
};

}  // namespace flowcast::spool
