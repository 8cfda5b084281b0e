// Progress and snapshots.
#include "services/inference/inference_store.h"

#include <algorithm>

#include "libs/state/same_topic.h"
#include "libs/wire/commit_note.h"

namespace flowcast::services {

bool InferenceStore::IsOfThisTopic(const bus::Position& position) {
  return state::IsOfThisTopic(reader_, position);
}

InferenceState InferenceStore::Load(const bus::Position& position) {
  InferenceState state{.next_offset = std::max<std::int64_t>(position.offset, 0)};
  state::Kept kept;
  const bool had_state = position.offset != bus::kNoOffset;
  const auto progress = had_state ? LoadProgress(position, kept) : std::nullopt;
  if (!progress) {
    if (had_state) Warn(position, "the committed position has no state; forecasts and alerts begin anew");
    const auto all = reader_.Read(position.at.partition, [](const state::Kept&) { return true; });
    if (!all) return state;
    for (const auto& [link, bytes] : all->links) state.leftover.push_back(link);
    return state;
  }
  state.next_offset = progress->next_offset;
  state.models = progress->models;
  state.produced_at = wire::DecodeCommitNote(position.metadata)->produced_at;
  for (const auto& [name, bytes] : kept.links) {
    if (auto link = wire::DecodeInferenceLink(bytes)) state.links.emplace(name, std::move(*link));
  }
  if (state.links.size() < kept.links.size())
    Warn(position, std::to_string(kept.links.size() - state.links.size()) +
                       " links begin anew: their state is damaged");
  return state;
}

std::optional<wire::InferenceProgress> InferenceStore::LoadProgress(const bus::Position& position,
                                                                    state::Kept& kept) {
  const auto noted = wire::DecodeCommitNote(position.metadata);
  if (!noted) return {};
  std::optional<wire::InferenceProgress> progress;
  const auto is_whole = [&](const state::Kept& now) {
    if (auto decoded = wire::DecodeInferenceProgress(now.progress)) progress = std::move(*decoded);
    return progress && progress->next_offset == noted->next_offset;
  };
  auto found = reader_.Read(position.at.partition, is_whole);
  if (!found) return {};
  kept = std::move(*found);
  return progress;
}

void InferenceStore::Warn(const bus::Position& position, const std::string& what) const {
  log_(base::LogLevel::kWarning,
       position.at.topic + " partition " + std::to_string(position.at.partition) + ": " + what);
}

}  // namespace flowcast::services
