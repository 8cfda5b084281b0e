// What a link remembers of its closed windows.
#pragma once

#include <optional>
#include <vector>

#include "libs/base/time.h"
#include "libs/feature/seasonal_profile.h"
#include "libs/feature/sequence_builder.h"
#include "libs/feature/window.h"

namespace flowcast::window {

/// As it is kept in state.v1.
struct LinkSnapshot {
  std::string source;
  base::EventTime next_start = base::kBeginningOfTime;  // the window to close next
  base::EventTime idle_since = base::kBeginningOfTime;  // end of the last window with a packet
  std::vector<feature::Window> windows;                 // of the sequence that is being made, oldest first
  feature::SeasonalProfile::State profile;
  bool ended = false;  // only the profile is kept, for when the link comes back
  bool operator==(const LinkSnapshot&) const = default;
};

struct HistoryOptions {
  std::size_t sequence_length = feature::kDefaultSequenceLength;
  base::Duration hop{};             // from one window's start to the next one's
  std::size_t coming_windows = 12;  // after the last, whose usual load a sequence tells
  const feature::Schema* schema = &feature::Schema::Default();  // of the windows; must outlive the history
};

/// A fold over a link's windows and nothing else: one that is restored from a snapshot and told the windows
/// that followed it stands where the first one stood. Not thread-safe.
class LinkHistory {
 public:
  /// The first window starts at `start`; `profile` is what is known from before.
  LinkHistory(const HistoryOptions& options, base::EventTime start,
              feature::SeasonalProfile::State profile = {})
      : sequences_(options.sequence_length, *options.schema),
        profile_(std::move(profile)),
        hop_(options.hop),
        coming_windows_(options.coming_windows),
        next_start_(start),
        idle_since_(start) {}
  LinkHistory(const HistoryOptions& options, const LinkSnapshot& snapshot);

  /// The window that starts at next_start; gives the sequence that ends with it. Windows that are not aligned
  /// to their length are in none.
  std::optional<feature::Sequence> Add(feature::Window window);

  base::EventTime next_start() const { return next_start_; }
  base::EventTime idle_since() const { return idle_since_; }
  LinkSnapshot Snapshot(const std::string& source) const;
  /// What is kept of a link that is forgotten; nothing while no quarter of an hour is known.
  std::optional<LinkSnapshot> Remains(const std::string& source) const;

 private:
  void TellUsual(feature::Sequence& sequence) const;

  feature::SequenceBuilder sequences_;
  feature::SeasonalProfile profile_;
  base::Duration hop_;
  std::size_t coming_windows_;
  base::EventTime next_start_;
  base::EventTime idle_since_;
};

/// Tells a history that was made of `snapshot` a window of its link, in the order in which they were written;
/// it takes those that follow the snapshot. Windows of the source's former self, which may be of the same
/// times, are older than the snapshot and undone by the first one that can't follow.
void Replay(const feature::Window& window, const LinkSnapshot& snapshot, const HistoryOptions& options,
            LinkHistory& history);

}  // namespace flowcast::window
