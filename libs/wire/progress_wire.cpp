// PartitionProgress to and from JSON.
#include "libs/wire/progress_wire.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostBytes = 4000;

std::string Dump(const PartitionProgress& progress) {
  Json sources = Json::object();
  for (const auto& [name, source] : progress.sources) {
    sources[name] = {source.epoch, source.next_sequence, base::ToUnixNanoseconds(source.watermark),
                     source.final, source.content};
  }
  return Json{{"version", 1}, {"next_offset", progress.next_offset}, {"sources", sources}}.dump();
}

bool IsSane(const PartitionProgress& progress) {
  const auto has_sane_time = [](const auto& source) {
    const base::EventTime watermark = source.second.watermark;
    return watermark == base::kBeginningOfTime || IsSaneTime(base::ToUnixNanoseconds(watermark));
  };
  return progress.next_offset >= 0 &&
         std::all_of(progress.sources.begin(), progress.sources.end(), has_sane_time);
}

/// The source that can best be missed: one that ended, else any; the oldest of them.
auto LeastNeeded(std::map<std::string, window::SourceProgress>& sources) {
  return std::min_element(sources.begin(), sources.end(), [](const auto& a, const auto& b) {
    return std::pair(!a.second.final, a.second.watermark) < std::pair(!b.second.final, b.second.watermark);
  });
}

}  // namespace

std::string EncodeJson(PartitionProgress progress) {
  std::string text = Dump(progress);
  while (text.size() > kMostBytes && !progress.sources.empty()) {
    progress.sources.erase(LeastNeeded(progress.sources));
    text = Dump(progress);
  }
  return text;
}

tl::expected<PartitionProgress, WireError> DecodeProgressJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return tl::unexpected(WireError::kNotOurs);
  if (!json.contains("version") || json["version"] != 1) return tl::unexpected(WireError::kUnknownVersion);
  try {
    PartitionProgress progress{.next_offset = json.at("next_offset").get<std::int64_t>()};
    for (const auto& [name, source] : json.at("sources").items()) {
      progress.sources[name] = {.epoch = source.at(0).get<std::uint64_t>(),
                                .content = source.at(4).get<std::uint64_t>(),
                                .next_sequence = source.at(1).get<std::uint64_t>(),
                                .watermark = base::FromUnixNanoseconds(source.at(2).get<std::int64_t>()),
                                .final = source.at(3).get<bool>()};
    }
    if (!IsSane(progress)) return tl::unexpected(WireError::kInconsistent);
    return progress;
  } catch (const Json::exception&) {
    return tl::unexpected(WireError::kInconsistent);
  }
}

}  // namespace flowcast::wire
