// One way in for windows that close and for windows that are read again.
#include "libs/window/link_history.h"

#include <utility>

namespace flowcast::window {

LinkHistory::LinkHistory(const HistoryOptions& options, const LinkSnapshot& snapshot)
    : sequences_(options.sequence_length, *options.schema),
      profile_(snapshot.profile),
      hop_(options.hop),
      coming_windows_(options.coming_windows),
      next_start_(snapshot.next_start),
      idle_since_(snapshot.idle_since) {
  for (const feature::Window& window : snapshot.windows) sequences_.Add(window);
}

std::optional<feature::Sequence> LinkHistory::Add(feature::Window window) {
  next_start_ = window.start + hop_;
  if (window.packets > 0) idle_since_ = window.end();
  if (base::AlignDown(window.start, window.length) != window.start) return std::nullopt;
  if (!window.partial)
    profile_.Learn(window.start, static_cast<double>(window.packets), static_cast<double>(window.bytes));
  auto sequence = sequences_.Add(std::move(window));
  if (sequence) TellUsual(*sequence);
  return sequence;
}

std::optional<LinkSnapshot> LinkHistory::Remains(const std::string& source) const {
  if (profile_.state().quarters.empty()) return std::nullopt;
  return LinkSnapshot{source, next_start_, idle_since_, {}, profile_.state(), true};
}

/// Nothing at all while nothing is known.
void LinkHistory::TellUsual(feature::Sequence& sequence) const {
  std::vector<feature::Usual> usual;
  bool known = false;
  for (std::size_t i = 0; i <= coming_windows_; ++i) {
    usual.push_back(
        profile_.At(sequence.last_start() + static_cast<std::int64_t>(i) * sequence.window_length));
    known = known || usual.back().days > 0;
  }
  if (known) sequence.usual = std::move(usual);
}

LinkSnapshot LinkHistory::Snapshot(const std::string& source) const {
  const auto& windows = sequences_.history();
  return {source, next_start_, idle_since_, {windows.begin(), windows.end()}, profile_.state()};
}

void Replay(const feature::Window& window, const LinkSnapshot& snapshot, const HistoryOptions& options,
            LinkHistory& history) {
  if (window.start == history.next_start()) {
    history.Add(window);
  } else if (window.start < snapshot.next_start && history.next_start() != snapshot.next_start) {
    history = LinkHistory(options, snapshot);
  }
}

}  // namespace flowcast::window
