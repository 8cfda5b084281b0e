// What the inference service keeps in state.v1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "libs/alert/link_alerts.h"
#include "libs/base/time.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// From which record of a partition of sequences.v1 on a model was asked; none when it is empty.
struct TakeOver {
  std::int64_t from_offset = 0;
  std::string model_version;
  bool operator==(const TakeOver&) const = default;
};

/// From which record on which rules were in force: their alert::RuleSet::marks.
struct RulesInForce {
  std::int64_t from_offset = 0;
  std::vector<std::uint64_t> marks;
  bool operator==(const RulesInForce&) const = default;
};

struct InferenceProgress {
  std::int64_t next_offset = 0;     // of sequences.v1: records before it have had their effect
  std::vector<TakeOver> models;     // ascending
  std::vector<RulesInForce> rules;  // ascending
  bool operator==(const InferenceProgress&) const = default;
};

std::string Encode(const InferenceProgress& progress);
tl::expected<InferenceProgress, WireError> DecodeInferenceProgress(std::string_view bytes);

/// A link after one of its sequences.
struct InferenceLink {
  std::int64_t offset = 0;  // of that sequence
  base::EventTime last_end = base::kBeginningOfTime;
  base::EventTime astray =
      base::kBeginningOfTime;  // of a later one that was not followed; else the beginning
  base::Duration window_length{};
  std::vector<std::string> forecasters;  // forecast::LinkForecaster::Save, one a target
  std::vector<alert::ActiveAlert> alerts;
  bool operator==(const InferenceLink&) const = default;
};

std::string Encode(const InferenceLink& link);
/// The hashes of the forecasters' bytes are checked; there is at least one.
tl::expected<InferenceLink, WireError> DecodeInferenceLink(std::string_view bytes);

}  // namespace flowcast::wire
