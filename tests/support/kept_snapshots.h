// The snapshots that a fold has let go, and the links as a restarted service makes them of these.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "libs/window/partition_fold.h"

namespace flowcast::support {

class KeptSnapshots {
 public:
  void Take(std::map<std::string, std::optional<window::LinkSnapshot>> changed) {
    for (auto& [link, snapshot] : changed) {
      by_link_.erase(link);
      if (snapshot) by_link_.emplace(link, std::move(*snapshot));
    }
  }
  /// With the windows numbered [from, to) that followed; `window_at` gives one by its number.
  template <typename WindowAt>
  std::map<std::string, window::RestoredLinks> Restore(std::size_t from, std::size_t to,
                                                       const WindowAt& window_at,
                                                       const window::FoldOptions& options) const {
    const window::HistoryOptions history_options = window::HistoryOptionsOf(options);
    std::map<std::string, window::RestoredLinks> links;
    for (const auto& [link, snapshot] : by_link_) {
      if (snapshot.ended) {
        links[snapshot.source].former.emplace(link, snapshot);
        continue;
      }
      window::LinkHistory history(history_options, snapshot);
      for (std::size_t i = from; i < to; ++i) {
        const feature::Window& window = window_at(i);
        if (window.link == link) window::Replay(window, snapshot, history_options, history);
      }
      links[snapshot.source].watched.emplace(link, std::move(history));
    }
    return links;
  }

 private:
  std::map<std::string, window::LinkSnapshot> by_link_;
};

}  // namespace flowcast::support
