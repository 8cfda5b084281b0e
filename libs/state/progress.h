// How far a service had come at a committed position, and what it kept of its links.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/state/state_reader.h"
#include "libs/wire/commit_note.h"

namespace flowcast::state {

/// The progress that was committed together with `position`, and in `kept` the links of that moment; nothing
/// when there is none. `decode` makes an expected of the progress's bytes, with the member next_offset that
/// the position's note has, too. Throws bus::BusError.
template <typename Decode>
auto ReadProgress(StateReader& reader, const bus::Position& position, const Decode& decode, Kept& kept) {
  using Progress = typename decltype(decode(std::string()))::value_type;
  std::optional<Progress> progress;
  const auto noted = wire::DecodeCommitNote(position.metadata);
  if (!noted) return progress;
  const auto is_whole = [&](const Kept& now) {
    if (auto decoded = decode(now.progress)) progress = std::move(*decoded);
    return progress && progress->next_offset == noted->next_offset;
  };
  auto found = reader.Read(position.at.partition, is_whole);
  if (found) {
    kept = std::move(*found);
  } else {
    progress.reset();
  }
  return progress;
}

/// The links that a partition has state of, whatever position that belongs to. Throws bus::BusError.
std::vector<std::string> KeptLinks(StateReader& reader, std::int32_t partition);

/// A warning about what was found for a partition.
void Warn(const base::Log& log, const bus::TopicPartition& at, const std::string& what);

}  // namespace flowcast::state
