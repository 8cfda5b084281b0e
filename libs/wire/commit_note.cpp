// CommitNote to and from JSON.
#include "libs/wire/commit_note.h"

#include <nlohmann/json.hpp>

namespace flowcast::wire {
namespace {

using Json = nlohmann::json;
constexpr int kNoteVersion = 2;

}  // namespace

std::string Encode(const CommitNote& note) {
  Json json{{"version", kNoteVersion}, {"next_offset", note.next_offset}};
  if (note.produced_at) json["produced_at_ms"] = note.produced_at->count();
  return json.dump();
}

tl::expected<CommitNote, WireError> DecodeCommitNote(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return tl::unexpected(WireError::kNotOurs);
  if (!json.contains("version") || json["version"] != kNoteVersion)
    return tl::unexpected(WireError::kUnknownVersion);
  const auto found = json.find("next_offset");
  if (found == json.end() || !found->is_number_integer() || *found < 0)
    return tl::unexpected(WireError::kInconsistent);
  CommitNote note{.next_offset = found->get<std::int64_t>(), .produced_at = {}};
  const auto produced_at = json.find("produced_at_ms");
  if (produced_at == json.end()) return note;
  if (!produced_at->is_number_integer()) return tl::unexpected(WireError::kInconsistent);
  note.produced_at = std::chrono::milliseconds(produced_at->get<std::int64_t>());
  return note;
}

}  // namespace flowcast::wire
