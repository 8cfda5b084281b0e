// One way in for windows that close and for windows that are read again.
#include "libs/window/link_history.h"

namespace flowcast::window {

LinkHistory::LinkHistory(std::size_t sequence_length, const feature::Schema& schema,
                         const LinkSnapshot& snapshot)
    : sequences_(sequence_length, schema),
      next_start_(snapshot.next_start),
      idle_since_(snapshot.idle_since) {
  for (const feature::Window& window : snapshot.windows) sequences_.Add(window);
}

std::optional<feature::Sequence> LinkHistory::Add(const feature::Window& window) {
  next_start_ = window.end();
  if (window.packets > 0) idle_since_ = window.end();
  return sequences_.Add(window);
}

LinkSnapshot LinkHistory::Snapshot(const std::string& source) const {
  const auto& windows = sequences_.history();
  return {source, next_start_, idle_since_, {windows.begin(), windows.end()}};
}

}  // namespace flowcast::window
