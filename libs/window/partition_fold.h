// Folds the packet batches of one partition into windows and sequences (rules 1 to 3 of the design).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/feature/accumulator.h"
#include "libs/feature/sequence_builder.h"
#include "libs/feature/window.h"
#include "libs/packet/packet.h"

namespace flowcast::window {

struct FoldOptions {
  base::Duration window_length = std::chrono::seconds(5);
  base::Duration lateness{0};  // how much longer than its watermark says a window stays open
  base::Duration link_expiry = std::chrono::hours(1);
  std::size_t sequence_length = 10;
  feature::FeatureOptions features;
};

/// Every packet is in exactly one of these: packets_in = in_windows + late + repeated once all
/// windows are closed.
struct FoldCounters {
  std::uint64_t batches = 0;
  std::uint64_t repeated_batches = 0;  // without anything new
  std::uint64_t repeated_packets = 0;  // had before: a source sent them again
  std::uint64_t missing_packets = 0;   // holes in the sources' sequence numbers
  std::uint64_t packets_in = 0;
  std::uint64_t packets_in_windows = 0;
  std::uint64_t late_packets = 0;
  std::uint64_t windows = 0;
  std::uint64_t sequences = 0;
  std::uint64_t retired_links = 0;
  std::uint64_t restarted_sources = 0;
  std::uint64_t gap_ns = 0;  // event time from their old epochs' watermarks to their new ones' begin

  FoldCounters& operator+=(const FoldCounters& other);
  FoldCounters& operator-=(const FoldCounters& other);
};

/// A window that is complete, and the sequence that ends with it, once the link has enough.
struct ClosedWindow {
  feature::Window window;
  std::optional<feature::Sequence> sequence;
};

/// How far a source's stream has come; what is needed to recognise repeats after a restart.
struct SourceProgress {
  std::uint64_t epoch = 0;
  std::uint64_t content = 0;        // what the epoch consists of
  std::uint64_t next_sequence = 0;  // number of the packet that comes next
  base::EventTime watermark = base::kBeginningOfTime;
  bool final = false;
  bool operator==(const SourceProgress&) const = default;
};

/// The fold's state is a function of the batches applied; nothing here knows the time of day.
/// Each link belongs to one source, whose watermark closes its windows. Not thread-safe.
class PartitionFold {
 public:
  explicit PartitionFold(const FoldOptions& options) : options_(options) {}

  /// Applies the batch read at `offset`; appends the windows that it closed, by link and time.
  void Apply(const packet::PacketBatch& batch, std::int64_t offset, std::vector<ClosedWindow>& closed);

  /// The oldest record that a new fold must apply again to stand where this one stands, once it has
  /// Restored what ProgressBefore says of that record; nothing when it needs none.
  std::optional<std::int64_t> OldestNeededOffset() const;

  /// How far each source had come before the record at `offset`, which is OldestNeededOffset or,
  /// without one, what comes next. It decides what is a repeat and what is late from there on.
  std::map<std::string, SourceProgress> ProgressBefore(std::int64_t offset) const;
  /// For a new fold, before its first batch.
  void Restore(const std::map<std::string, SourceProgress>& progress);

  const FoldCounters& counters() const { return counters_; }
  /// Links that are being watched.
  std::size_t link_count() const;
  /// The oldest watermark of a source that has not ended; kEndOfTime without any.
  base::EventTime Watermark() const;

 private:
  struct OpenWindow {
    feature::Accumulator sums;
    std::int64_t first_offset = 0;
  };
  struct Link {
    std::map<base::EventTime, OpenWindow> open;
    bool fresh = true;                                    // no window was closed since it began
    base::EventTime next_start = base::kBeginningOfTime;  // the window to close next; meaningless while fresh
    base::EventTime idle_since = base::kBeginningOfTime;  // end of the last window with a packet
    std::int64_t last_packet_offset = 0;                  // of the batch that began it, until one is not late
    std::map<base::EventTime, std::uint64_t> late_packets;  // by the boundary that was closed when they came
    std::vector<std::int64_t> needed_offsets;  // of its beginning and the windows in the sequence history
    feature::SequenceBuilder sequences;
  };
  /// Where a source stood before it changed with the batch at `offset`.
  struct Mark {
    std::int64_t offset = 0;
    SourceProgress before;
  };
  struct Source {
    SourceProgress progress;
    base::EventTime started = base::kBeginningOfTime;
    base::EventTime closed_to = base::kBeginningOfTime;  // the window boundary closed last
    std::map<std::string, Link> links;
    std::deque<Mark> marks;  // since the oldest offset that is needed
  };
  struct FlowSlot;

  std::optional<std::size_t> FirstNew(const packet::PacketBatch& batch, Source& source,
                                      std::vector<ClosedWindow>& closed);
  void Restart(const packet::PacketBatch& batch, Source& source, std::vector<ClosedWindow>& closed);
  void AddPackets(const packet::PacketBatch& batch, std::size_t first, std::int64_t offset, Source& source);
  Link& FindLink(Source& source, const std::string& name, std::int64_t offset);
  OpenWindow* FindWindow(const Source& source, Link& link, base::EventTime start, std::int64_t offset);
  std::optional<base::EventTime> LateAfter(const packet::PacketBatch& batch, std::size_t packet,
                                           std::size_t& straggler) const;
  static std::uint64_t TakeLate(Link& link, base::EventTime start);
  base::EventTime ClosedBy(base::EventTime watermark) const;
  void CloseUpTo(base::EventTime watermark, Source& source, std::vector<ClosedWindow>& closed);
  void Finish(Source& source, std::vector<ClosedWindow>& closed);
  bool CloseLink(const std::string& name, Link& link, base::EventTime boundary, const Source& source,
                 bool source_ends, std::vector<ClosedWindow>& closed);
  void ForgetMarks();
  ClosedWindow CloseNext(const std::string& name, Link& link, const Source& source, bool source_ends);

  FoldOptions options_;
  FoldCounters counters_;
  std::map<std::string, Source> sources_;
};

}  // namespace flowcast::window
