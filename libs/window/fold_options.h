// What a fold is told, and what it gives.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/feature/accumulator.h"
#include "libs/feature/window.h"
#include "libs/window/link_history.h"

namespace flowcast::window {

struct FoldOptions {
  base::Duration window_length = std::chrono::seconds(5);
  base::Duration hop{0};       // from one window's start to the next one's; divides window_length; 0: that
  base::Duration lateness{0};  // how much longer than its watermark says a window stays open
  base::Duration link_expiry = std::chrono::hours(1);
  std::size_t sequence_length = feature::kDefaultSequenceLength;
  std::size_t coming_windows = 12;  // whose usual load a sequence tells
  std::size_t snapshot_every = 20;  // windows of a link
  std::size_t ended_sources = 100;  // that are remembered, to know what they send again
  /// One that vanished counts as ended once others are so much later in event time: until then it may come
  /// back and go on, or send again what it had not heard to be there.
  base::Duration vanished_for = std::chrono::hours(24);
  std::size_t close_at_once = 10'000;  // windows, about
  /// Of a source with more links, sequences are made when its windows are out (MakeSequences), else with
  /// them.
  std::size_t sequences_at_once = std::numeric_limits<std::size_t>::max();
  feature::FeatureOptions features;
  std::shared_ptr<const feature::Schema> schema =
      std::make_shared<feature::Schema>(feature::Schema::Default());
};

/// What `hop` stands for.
base::Duration HopOf(const FoldOptions& options);
HistoryOptions HistoryOptionsOf(const FoldOptions& options);

/// A window that is complete, and the sequence that ends with it, once the link has enough; unless that is
/// made later.
struct ClosedWindow {
  feature::Window window;
  std::optional<feature::Sequence> sequence;
};

/// What applying a batch brings, beside the windows: state to be kept.
struct FoldOutput {
  std::vector<ClosedWindow> closed;                            // by link and time
  std::vector<feature::Sequence> sequences;                    // of earlier windows, in their order
  std::map<std::string, std::optional<LinkSnapshot>> changed;  // nothing: the link is forgotten
};

}  // namespace flowcast::window
