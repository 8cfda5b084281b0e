// The state of a training as bytes, for a process that is started again.
#pragma once

#include <optional>

#include "libs/lstm/internal/member.h"

namespace flowcast::lstm {

struct Checkpoint {
  std::vector<training::EpochResult> history;  // the last is the epoch after which it was made
  std::vector<MemberState> members;
};

/// Of everything that decides the weights: shape, options and examples.
std::uint64_t Fingerprint(const NetworkShape& shape, const LearnerOptions& options,
                          const training::Examples& training, const training::Examples& validation);

/// A format of this version of the program alone: nothing reads it but what wrote it.
std::string EncodeCheckpoint(const Checkpoint& checkpoint, std::uint64_t fingerprint);

/// Nothing for bytes that are damaged or of another fingerprint.
std::optional<Checkpoint> DecodeCheckpoint(std::string_view bytes, const NetworkShape& shape,
                                           std::uint64_t fingerprint);

}  // namespace flowcast::lstm
