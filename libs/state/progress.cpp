// Links by name, and a line for the log.
#include "libs/state/progress.h"

namespace flowcast::state {

std::vector<std::string> KeptLinks(StateReader& reader, std::int32_t partition) {
  std::vector<std::string> links;
  const auto kept = reader.Read(partition, [](const Kept&) { return true; });
  if (!kept) return links;
  for (const auto& [link, bytes] : kept->links) links.push_back(link);
  return links;
}

void Warn(const base::Log& log, const bus::TopicPartition& at, const std::string& what) {
  log(base::LogLevel::kWarning, at.topic + " partition " + std::to_string(at.partition) + ": " + what);
}

}  // namespace flowcast::state
