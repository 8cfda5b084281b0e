// Folds the packet batches of one partition into windows and sequences (rules 1 to 3 of the design).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/feature/accumulator.h"
#include "libs/feature/sequence_builder.h"
#include "libs/feature/window.h"
#include "libs/packet/packet.h"
#include "libs/window/fold_counters.h"
#include "libs/window/link_history.h"
#include "libs/window/needed_offsets.h"

namespace flowcast::window {

struct FoldOptions {
  base::Duration window_length = std::chrono::seconds(5);
  base::Duration hop{0};       // from one window's start to the next one's; divides window_length; 0: that
  base::Duration lateness{0};  // how much longer than its watermark says a window stays open
  base::Duration link_expiry = std::chrono::hours(1);
  std::size_t sequence_length = 10;
  std::size_t coming_windows = 12;  // whose usual load a sequence tells
  std::size_t snapshot_every = 20;  // windows of a link
  std::size_t ended_sources = 100;  // that are remembered, to know what they send again
  feature::FeatureOptions features;
  std::shared_ptr<const feature::Schema> schema =
      std::make_shared<feature::Schema>(feature::Schema::Default());
};

/// What `hop` stands for.
base::Duration HopOf(const FoldOptions& options);
HistoryOptions HistoryOptionsOf(const FoldOptions& options);

/// A window that is complete, and the sequence that ends with it, once the link has enough.
struct ClosedWindow {
  feature::Window window;
  std::optional<feature::Sequence> sequence;
};

/// What applying a batch brings, beside the windows: state to be kept.
struct FoldOutput {
  std::vector<ClosedWindow> closed;                            // by link and time
  std::map<std::string, std::optional<LinkSnapshot>> changed;  // nothing: the link is forgotten
};

/// How far a source's stream has come; what is needed to recognise repeats after a restart.
struct SourceProgress {
  std::uint64_t epoch = 0;
  std::uint64_t content = 0;                         // what the epoch consists of
  std::uint64_t next_sequence = 0;                   // number of the packet that comes next
  base::EventTime started = base::kBeginningOfTime;  // of the epoch
  base::EventTime watermark = base::kBeginningOfTime;
  bool final = false;
  bool operator==(const SourceProgress&) const = default;
};
using Progress = std::map<std::string, SourceProgress>;  // by source

/// Numbers of closed windows, counted as they are written out.
struct WindowNumbers {
  std::uint64_t needed = 0;  // the oldest that a snapshot may lack
  std::uint64_t next = 0;
};

/// Windows that overlap are so many rows of windows end to end, each with a phase of its own; sequences are
/// made of the row that is aligned to the length.
///
/// The fold's state is a function of the batches applied; nothing here knows the time of day.
/// Each link belongs to one source, whose watermark closes its windows. Not thread-safe.
///
/// A restart makes a new fold: BeginRefold, the batches from OldestNeededOffset on are applied
/// again (which rebuilds the windows that are open and gives no output), EndRefold with the links
/// out of snapshots and the windows that followed them.
class PartitionFold {
 public:
  explicit PartitionFold(const FoldOptions& options) : options_(options), hop_(HopOf(options)) {}

  /// Applies the batch read at `offset`; appends to `output`.
  void Apply(const packet::PacketBatch& batch, std::int64_t offset, FoldOutput& output);
  /// Closes the open windows of a source of which nothing more is expected, and forgets its links.
  /// Should it come back, it goes on with the windows after those.
  void Vanish(const std::string& source, FoldOutput& output);

  /// The oldest record that an open window is made of, or packets that are late and not told yet;
  /// nothing when there are none.
  std::optional<std::int64_t> OldestNeededOffset() const { return needed_.Oldest(); }
  /// The oldest window that a restart must be told, besides the newest snapshot of each link.
  std::uint64_t OldestNeededWindow() const;
  /// The number of the window that is closed next.
  std::uint64_t next_window() const { return next_window_; }

  /// How far each source had come before the record at `offset`, which is OldestNeededOffset or,
  /// without one, what comes next. It decides what is a repeat and what is late from there on.
  Progress ProgressBefore(std::int64_t offset) const;
  Progress ProgressNow() const;

  /// For a new fold, before its first batch.
  void BeginRefold(const Progress& before);
  /// `links` are those that were watched, by source and name. One that lacks windows which its source has
  /// closed begins anew: they can't be read back, or its state is left over from another group.
  void EndRefold(const Progress& now, std::map<std::string, std::map<std::string, LinkHistory>> links,
                 const WindowNumbers& numbers);

  const FoldCounters& counters() const { return counters_; }
  /// Sources that have not ended.
  std::vector<std::string> RunningSources() const;
  /// Packets in windows that are open; of windows that overlap, in those aligned to their length.
  std::uint64_t open_packets() const;
  /// Links that are being watched.
  std::size_t link_count() const;
  /// The oldest watermark of a source that has neither ended nor vanished; kEndOfTime without any.
  base::EventTime Watermark() const;

 private:
  struct OpenWindow {
    feature::Accumulator sums;
    NeededOffsets::Hold first;  // the record that it began with
  };
  struct Late {
    std::uint64_t packets = 0;
    NeededOffsets::Hold first;
  };
  struct Link {
    std::map<base::EventTime, OpenWindow> open;
    std::map<base::EventTime, Late> late;  // by the start of the oldest window that was open when they came
    std::optional<LinkHistory> history;    // from the first closed window on
  };
  /// Where a source stood before it changed with the batch at `offset`.
  struct Mark {
    std::int64_t offset = 0;
    SourceProgress before;
  };
  /// Windows closed when closed_to became `boundary` have numbers from `first` on.
  struct Closing {
    base::EventTime boundary;
    std::uint64_t first = 0;
  };
  struct Source {
    SourceProgress progress;
    base::EventTime closed_to = base::kBeginningOfTime;  // windows that end here or before are closed
    bool vanished = false;                               // and not come back
    std::map<std::string, Link> links;
    std::deque<Mark> marks;        // since the oldest offset that is needed
    std::deque<Closing> closings;  // since the oldest window that is needed
  };
  struct FlowSlot;

  std::optional<std::size_t> FirstNew(const packet::PacketBatch& batch, const std::string& name,
                                      Source& source, FoldOutput& output);
  void Restart(const packet::PacketBatch& batch, const std::string& name, Source& source, FoldOutput& output);
  void AddPackets(const packet::PacketBatch& batch, std::size_t first, std::int64_t offset, Source& source);
  void AddPhase(const packet::PacketBatch& batch, std::size_t first, std::int64_t offset,
                base::Duration phase, Source& source);
  void CountLate(Link& link, base::EventTime boundary, std::int64_t offset);
  OpenWindow* FindWindow(const Source& source, Link& link, base::EventTime start, std::int64_t offset);
  std::optional<base::EventTime> LateAfter(const packet::PacketBatch& batch, std::size_t packet,
                                           base::EventTime start, std::size_t& straggler) const;
  static std::uint64_t TakeLate(Link& link, base::EventTime start);
  base::EventTime ClosedBy(base::EventTime watermark) const;
  base::EventTime EndOfOpenWindows(const Source& source) const;
  void CloseUpTo(base::EventTime boundary, const std::string& name, Source& source, bool source_ends,
                 FoldOutput& output);
  bool CloseLink(const std::string& name, Link& link, base::EventTime boundary,
                 const std::string& source_name, const Source& source, bool source_ends, FoldOutput& output);
  ClosedWindow CloseNext(const std::string& name, Link& link, const Source& source, bool source_ends);
  void Finish(const std::string& name, Source& source, FoldOutput& output);
  void ForgetLinks(Source& source, FoldOutput& output);
  void ForgetSources();
  bool SnapshotIsDue(const std::string& link, base::EventTime start) const;
  void NoteClosing(Source& source, std::uint64_t first);
  void SnapshotLaggards(FoldOutput& output);
  void DropBelow(base::EventTime boundary, Link& link) const;
  void ForgetMarks();

  FoldOptions options_;
  base::Duration hop_;
  FoldCounters counters_;
  NeededOffsets needed_;
  std::map<std::string, Source> sources_;
  std::uint64_t next_window_ = 0;  // number
  bool refolding_ = false;
};

}  // namespace flowcast::window
