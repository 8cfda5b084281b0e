// One way in for windows that close and for windows that are read again.
#include "libs/window/link_history.h"

namespace flowcast::window {

LinkHistory::LinkHistory(const HistoryOptions& options, const LinkSnapshot& snapshot)
    : sequences_(options.sequence_length, *options.schema),
      hop_(options.hop),
      next_start_(snapshot.next_start),
      idle_since_(snapshot.idle_since) {
  for (const feature::Window& window : snapshot.windows) sequences_.Add(window);
}

std::optional<feature::Sequence> LinkHistory::Add(const feature::Window& window) {
  next_start_ = window.start + hop_;
  if (window.packets > 0) idle_since_ = window.end();
  if (base::AlignDown(window.start, window.length) != window.start) return std::nullopt;
  return sequences_.Add(window);
}

LinkSnapshot LinkHistory::Snapshot(const std::string& source) const {
  const auto& windows = sequences_.history();
  return {source, next_start_, idle_since_, {windows.begin(), windows.end()}};
}

}  // namespace flowcast::window
