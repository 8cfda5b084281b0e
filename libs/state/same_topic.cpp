// By the record before the next one.
#include "libs/state/same_topic.h"

#include "libs/wire/commit_note.h"

namespace flowcast::state {

bool IsOfThisTopic(StateReader& reader, const bus::Position& position) {
  const auto note = wire::DecodeCommitNote(position.metadata);
  if (!note || note->next_offset == 0) return true;
  if (note->next_offset > reader.EndOffset(position.at)) return false;
  if (!note->produced_at) return true;
  const auto last = reader.First(position.at, note->next_offset - 1);
  return !last || last->offset >= note->next_offset || last->produced_at == note->produced_at;
}

}  // namespace flowcast::state
