// Packets by link and window.
#include "services/features/batch_trace.h"

#include <set>
#include <utility>
#include <vector>

#include "libs/base/text.h"
#include "libs/trace/trace.h"

namespace flowcast::services {

std::string WindowsOf(const packet::PacketBatch& batch, base::Duration length, base::Duration hop) {
  std::set<std::pair<std::uint32_t, base::EventTime>> found;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::uint32_t link = batch.flows[batch.flow_indexes[i]].link;
    base::EventTime start = base::AlignDown(batch.times[i], hop);
    for (; start > batch.times[i] - length; start -= hop) found.emplace(link, start);
  }
  std::vector<std::string> windows;
  for (const auto& [number, start] : found) {
    const std::string& link = batch.links[number];
    windows.push_back(trace::IdOf(link, start, length) + " (" + link + " " + base::FormatTime(start) + ")");
  }
  return base::Join(windows);
}

}  // namespace flowcast::services
