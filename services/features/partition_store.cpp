// Progress, snapshots, and the windows that followed them.
#include "services/features/partition_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/state/progress.h"
#include "libs/state/same_topic.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/window_wire.h"

namespace flowcast::services {

bool PartitionStore::IsOfThisTopic(const bus::Position& position) {
  return state::IsOfThisTopic(reader_, position);
}

PartitionState PartitionStore::Load(const bus::Position& position) {
  PartitionState state{.next_offset = std::max<std::int64_t>(position.offset, 0)};
  state::Kept kept;
  if (position.offset != bus::kNoOffset) {
    if (const auto progress = state::ReadProgress(reader_, position, wire::DecodeFeaturesProgress, kept)) {
      state.next_offset = progress->next_offset;
      state.before = progress->before;
      state.now = progress->now;
      state.produced_at = wire::DecodeCommitNote(position.metadata)->produced_at;
      LoadLinks(position.at.partition, kept, *progress, state);
      return state;
    }
    state::Warn(log_, position.at,
                "the committed position has no state in " + names_.state +
                    "; windows that were open may be incomplete, and sequences begin anew");
  }
  BeginAfresh(position.at.partition, state);
  return state;
}

void PartitionStore::BeginAfresh(std::int32_t partition, PartitionState& state) {
  state.windows.needed = state.windows.next =
      static_cast<std::uint64_t>(reader_.EndOffset({names_.windows, partition}));
  state.leftover = state::KeptLinks(reader_, partition);
}

void PartitionStore::LoadLinks(std::int32_t partition, const state::Kept& kept,
                               const wire::FeaturesProgress& progress, PartitionState& state) {
  const auto snapshots = Snapshots(kept);
  std::map<std::string, window::LinkHistory> links;
  for (const auto& [name, snapshot] : snapshots) {
    if (snapshot.ended) {
      state.links[snapshot.source].former.emplace(name, snapshot);
    } else {
      links.emplace(name, window::LinkHistory(window::HistoryOptionsOf(options_), snapshot));
    }
  }
  const auto replay = [&](const std::string& link, const feature::Window& window) {
    const auto found = links.find(link);
    if (found != links.end())
      window::Replay(window, snapshots.at(link), window::HistoryOptionsOf(options_), found->second);
  };
  const bool whole = Follow({names_.windows, partition}, progress, replay, state);
  for (auto& [name, history] : links)
    state.links[snapshots.at(name).source].watched.emplace(name, std::move(history));
  if (!whole) state.windows.owed.clear();
}

/// Windows that histories had been told are replayed, those after them are owed. False when not all of them
/// can be read.
bool PartitionStore::Follow(const bus::TopicPartition& at, const wire::FeaturesProgress& progress,
                            const std::function<void(const std::string&, const feature::Window&)>& replay,
                            PartitionState& state) {
  std::deque<feature::Window> newest;  // as many as are owed
  window::WindowName last;
  const auto take = [&](const bus::InRecord& record) {
    auto window = wire::DecodeWindow(record.value);
    if (window) last = {record.key, window->start};
    newest.push_back(window && Fits(*window) ? std::move(*window) : feature::Window{});
    if (newest.size() <= progress.owed) return;
    if (!newest.front().link.empty()) replay(newest.front().link, newest.front());
    newest.pop_front();
  };
  // With all of them in snapshots the newest lies before what is read.
  const bool all_in_snapshots = progress.windows_from >= progress.windows_to;
  if (all_in_snapshots) last = progress.last;
  const auto is_whole = [&] { return progress.last.link.empty() || last == progress.last; };
  const auto end = reader_.Follow(at, progress.windows_from, progress.windows_to, take, is_whole);
  if (!end) state::Warn(log_, at, "windows that had been committed can't be read; sequences may begin anew");
  state.windows = {static_cast<std::uint64_t>(progress.windows_from),
                   static_cast<std::uint64_t>(std::max(end.value_or(0), progress.windows_to)),
                   last,
                   {std::move_iterator(newest.begin()), std::move_iterator(newest.end())}};
  return end.has_value();
}

/// Those that are of use: a service that was started with another length of windows begins anew.
std::map<std::string, window::LinkSnapshot> PartitionStore::Snapshots(const state::Kept& kept) const {
  std::map<std::string, window::LinkSnapshot> snapshots;
  for (const auto& [link, bytes] : kept.links) {
    auto snapshot = wire::DecodeLinkSnapshot(bytes);
    if (!snapshot) continue;
    const auto fits = [this](const feature::Window& window) { return Fits(window); };
    const bool whole = std::all_of(snapshot->windows.begin(), snapshot->windows.end(), fits) &&
                       base::AlignDown(snapshot->next_start, window::HopOf(options_)) == snapshot->next_start;
    if (whole) snapshots.emplace(link, std::move(*snapshot));
  }
  if (snapshots.size() < kept.links.size()) {
    log_(base::LogLevel::kWarning,
         std::to_string(kept.links.size() - snapshots.size()) +
             " links begin anew: their state is of another --window or of other features");
  }
  return snapshots;
}

bool PartitionStore::Fits(const feature::Window& window) const {
  return window.length == options_.window_length && window.schema_hash == options_.schema->hash() &&
         window.features.size() == options_.schema->size();
}

}  // namespace flowcast::services
