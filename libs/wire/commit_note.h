// The note beside a committed position.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// Metadata of a commit: tells which state belongs to the position, and which topic.
struct CommitNote {
  std::int64_t next_offset = 0;
  std::optional<std::chrono::milliseconds> produced_at;  // of the record before it; absent: not known
  bool operator==(const CommitNote&) const = default;
};
std::string Encode(const CommitNote& note);
tl::expected<CommitNote, WireError> DecodeCommitNote(std::string_view text);

}  // namespace flowcast::wire
