// Whether a committed position still means what it meant.
#pragma once

#include "libs/bus/bus.h"
#include "libs/state/state_reader.h"

namespace flowcast::state {

/// False when what was processed before the position, as its note (wire::CommitNote) says, is not what lies
/// before it in the topic now: the topic was emptied or made anew. Nothing tells where retention has taken
/// that. Throws bus::BusError.
bool IsOfThisTopic(StateReader& reader, const bus::Position& position);

}  // namespace flowcast::state
