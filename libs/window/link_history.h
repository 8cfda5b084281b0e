// What a link remembers of its closed windows.
#pragma once

#include <optional>
#include <vector>

#include "libs/base/time.h"
#include "libs/feature/sequence_builder.h"
#include "libs/feature/window.h"

namespace flowcast::window {

/// As it is kept in state.v1.
struct LinkSnapshot {
  std::string source;
  base::EventTime next_start = base::kBeginningOfTime;  // the window to close next
  base::EventTime idle_since = base::kBeginningOfTime;  // end of the last window with a packet
  std::vector<feature::Window> windows;                 // of the sequence that is being made, oldest first
  bool operator==(const LinkSnapshot&) const = default;
};

/// A fold over a link's windows and nothing else: one that is restored from a snapshot and told the windows
/// that followed it stands where the first one stood. Not thread-safe.
class LinkHistory {
 public:
  /// The first window starts at `start`; `schema` is that of the windows and must outlive the history.
  LinkHistory(std::size_t sequence_length, const feature::Schema& schema, base::EventTime start)
      : sequences_(sequence_length, schema), next_start_(start), idle_since_(start) {}
  LinkHistory(std::size_t sequence_length, const feature::Schema& schema, const LinkSnapshot& snapshot);

  /// The window that starts at next_start; gives the sequence that ends with it.
  std::optional<feature::Sequence> Add(const feature::Window& window);

  base::EventTime next_start() const { return next_start_; }
  base::EventTime idle_since() const { return idle_since_; }
  LinkSnapshot Snapshot(const std::string& source) const;

 private:
  feature::SequenceBuilder sequences_;
  base::EventTime next_start_;
  base::EventTime idle_since_;
};

}  // namespace flowcast::window
