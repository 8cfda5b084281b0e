// Folds the packet batches of one partition into windows and sequences (rules 1 to 3 of the design).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/feature/accumulator.h"
#include "libs/feature/window.h"
#include "libs/packet/packet.h"
#include "libs/window/fold_counters.h"
#include "libs/window/fold_options.h"
#include "libs/window/fold_progress.h"
#include "libs/window/former_links.h"
#include "libs/window/link_history.h"
#include "libs/window/needed_offsets.h"

namespace flowcast::window {

/// Windows that overlap are so many rows of windows end to end, each with a phase of its own; sequences are
/// made of the row that is aligned to the length.
///
/// The fold's state is a function of the batches applied; nothing here knows the time of day.
/// Each link belongs to one source, whose watermark closes its windows. Not thread-safe.
///
/// A restart makes a new fold: BeginRefold, the batches from OldestNeededOffset on are taken again
/// (which rebuilds the windows that are open and gives no output), EndRefold with the links out of
/// snapshots and the windows that followed them. Close then goes on where it was.
class PartitionFold {
 public:
  explicit PartitionFold(const FoldOptions& options) : options_(options), hop_(HopOf(options)) {}
  PartitionFold(const PartitionFold&) = delete;  // what is owed points into the links
  PartitionFold& operator=(const PartitionFold&) = delete;
  PartitionFold(PartitionFold&&) = default;
  PartitionFold& operator=(PartitionFold&&) = default;
  ~PartitionFold() = default;

  /// Adds the batch read at `offset`, once nothing is left to be closed; false when its source has to be
  /// ended before: to be called again after Close.
  bool Take(const packet::PacketBatch& batch, std::int64_t offset);
  /// Closes windows that are due, FoldOptions::close_at_once of them or a few more, and appends them; false
  /// when nothing is left. (An hour that a source missed closes hundreds of windows of each of its links.)
  bool Close(FoldOutput& output);
  /// Makes the sequences of so many windows that wait for that; false when none is left. What ends (a link, a
  /// source) does so only when they are made. Close does it, too, once a window of each link waits: then the
  /// windows wait for the sequences.
  bool MakeSequences(std::size_t windows, FoldOutput& output);
  /// Windows that wait for MakeSequences: the newest that were closed.
  std::size_t owed() const { return owed_.size(); }
  /// Take and Close until all is done, but MakeSequences.
  void Apply(const packet::PacketBatch& batch, std::int64_t offset, FoldOutput& output);
  /// Closes the open windows of a source of which nothing more is expected, and forgets its links.
  /// Should it come back, it goes on with the windows after those, unless it was forgotten meanwhile
  /// (FoldOptions::vanished_for).
  void Vanish(const std::string& source, FoldOutput& output);

  /// The oldest record that an open window is made of, or packets that are late and not told yet;
  /// nothing when there are none.
  std::optional<std::int64_t> OldestNeededOffset() const { return needed_.Oldest(); }
  /// The oldest window that a restart must be told, besides the newest snapshot of each link.
  std::uint64_t OldestNeededWindow() const;
  /// The number of the window that is closed next.
  std::uint64_t next_window() const { return next_window_; }
  /// The window that was closed last.
  const WindowName& last_window() const { return last_window_; }

  /// How far each source had come before the record at `offset`, which is OldestNeededOffset or,
  /// without one, what comes next. It decides what is a repeat and what is late from there on.
  Progress ProgressBefore(std::int64_t offset) const;
  Progress ProgressNow() const;

  /// For a new fold, before its first batch: ProgressBefore and ProgressNow of the fold that stopped.
  void BeginRefold(const Progress& before, const Progress& now);
  /// `links` are those that were watched, by source and name. One that lacks windows which its source has
  /// closed begins anew: they can't be read back, or its state is left over from another group.
  void EndRefold(std::map<std::string, RestoredLinks>&& links, RestoredWindows&& windows);

  const FoldCounters& counters() const { return counters_; }
  /// Sources that have not ended, in order.
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
    std::optional<LinkHistory> history;    // from the first closed window on; lacks those owed
    base::EventTime next_start;            // the window to close next
    base::EventTime idle_since;            // end of the last window with a packet
  };
  /// A closed window that its link's history has to be told.
  struct Owed {
    Link* link = nullptr;  // none: the link has begun anew
    const std::string* name = nullptr;
    const std::string* source = nullptr;
    feature::Window window;
  };
  /// Where a source stood before it changed with the batch at `offset`.
  struct Mark {
    std::int64_t offset = 0;
    SourceProgress before;
  };
  /// Windows closed when closed_to became `boundary` have numbers from `first` on, and below `end`.
  struct Closing {
    base::EventTime boundary;
    std::uint64_t first = 0;
    std::uint64_t end = 0;
  };
  struct Source {
    SourceProgress progress;
    bool vanished = false;  // and not come back
    std::map<std::string, Link> links;
    FormerLinks former;
    std::deque<Mark> marks;        // since the oldest offset that is needed
    std::deque<Closing> closings;  // since the oldest window that is needed
  };
  struct FlowSlot;

  std::optional<std::size_t> FirstNew(const packet::PacketBatch& batch, SourceProgress& progress);
  bool EndFormerSelf(const packet::PacketBatch& batch, Source& source);
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
  base::EventTime Due(const Source& source) const;
  base::EventTime NextStep(base::EventTime due, const Source& source) const;
  static bool HasWork(const Source& source, base::EventTime due);
  void CloseStep(base::EventTime due, const std::string& name, Source& source, FoldOutput& output);
  void CloseUpTo(base::EventTime boundary, const std::string& name, Source& source, FoldOutput& output);
  bool CloseLink(const std::string& name, Link& link, base::EventTime boundary,
                 const std::string& source_name, Source& source, FoldOutput& output);
  ClosedWindow CloseNext(const std::string& name, Link& link, const std::string& source_name,
                         const Source& source);
  bool MustCatchUp() const;
  bool IsOwed(const Source& source) const;
  bool EndWaits(const Source& source, base::EventTime due) const;
  void Settle(std::size_t windows, FoldOutput& output);
  void FinishEnd(const std::string& name, Source& source, FoldOutput& output);
  void RestoreOwed(std::vector<feature::Window>&& windows);
  void DropLaggards();
  void DropClosed(const std::string& name, Source& source);
  void Forget(const std::string& name, Link& link, const std::string& source_name, Source& source,
              FoldOutput& output);
  void ForgetLinks(const std::string& source_name, Source& source, FoldOutput& output);
  /// `newest` is the newest watermark of all sources.
  bool HasEnded(const Source& source, base::EventTime newest) const;
  void ForgetSources(FoldOutput& output);
  bool SnapshotIsDue(const std::string& link, base::EventTime start) const;
  void NoteClosing(Source& source, std::uint64_t first);
  void TrimClosings(Source& source) const;
  /// The number of the first window that is owed.
  std::uint64_t first_owed() const { return next_window_ - owed_.size(); }
  void SnapshotLaggards(FoldOutput& output);
  void DropBelow(base::EventTime boundary, Link& link) const;
  void ForgetMarks();

  FoldOptions options_;
  base::Duration hop_;
  FoldCounters counters_;
  NeededOffsets needed_;
  std::map<std::string, Source> sources_;
  std::uint64_t next_window_ = 0;  // number
  WindowName last_window_;
  std::deque<Owed> owed_;  // oldest first
  bool later_ = false;     // whether windows that are closed now are owed
  bool hurry_ = false;     // a batch waits for the end of its source's former self
  bool refolding_ = false;
  Progress refold_to_;  // where the fold stood that this one stands for
};

}  // namespace flowcast::window
