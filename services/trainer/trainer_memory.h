// What a trainer goes on from after a restart, as text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/training/drift_watch.h"

namespace flowcast::services {

struct TrainerMemory {
  std::string settings;                                        // one line; a trainer with others begins anew
  base::EventTime trained_at = base::kBeginningOfTime;         // the last training's end, by the wall clock
  base::EventTime learned_to = base::kBeginningOfTime;         // end of the newest window there was then
  std::map<std::string, training::DriftWatch::Measure> drift;  // by target
  bool operator==(const TrainerMemory&) const = default;
};

std::string ToText(const TrainerMemory& memory);
/// Nothing for what is no such text, whole, or holds a number that cannot be.
std::optional<TrainerMemory> MemoryFrom(const std::string& text);

}  // namespace flowcast::services
