// Progress and snapshots.
#include "services/inference/inference_store.h"

#include <algorithm>

#include "libs/state/progress.h"
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
  const auto progress =
      had_state ? state::ReadProgress(reader_, position, wire::DecodeInferenceProgress, kept) : std::nullopt;
  if (!progress) {
    if (had_state)
      state::Warn(log_, position.at, "the committed position has no state; forecasts and alerts begin anew");
    state.leftover = state::KeptLinks(reader_, position.at.partition);
    return state;
  }
  state.next_offset = progress->next_offset;
  state.models = progress->models;
  state.rules = progress->rules;
  state.produced_at = wire::DecodeCommitNote(position.metadata)->produced_at;
  for (const auto& [name, bytes] : kept.links) {
    if (auto link = wire::DecodeInferenceLink(bytes)) state.links.emplace(name, std::move(*link));
  }
  if (state.links.size() < kept.links.size())
    state::Warn(
        log_, position.at,
        std::to_string(kept.links.size() - state.links.size()) + " links begin anew: their state is damaged");
  return state;
}

}  // namespace flowcast::services
