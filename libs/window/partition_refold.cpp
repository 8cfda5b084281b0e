// What a restart needs, and how it stands where the fold before it stood.
#include <algorithm>
#include <utility>

#include "libs/base/hash.h"
#include "libs/window/partition_fold.h"

namespace flowcast::window {

using base::EventTime;

namespace {

/// A source that stands still while others go on must not hold a restart up.
constexpr std::uint64_t kMostWindowsBehind = 100'000;

}  // namespace

/// Once in `snapshot_every` windows, at another one of them for each link.
bool PartitionFold::SnapshotIsDue(const std::string& link, EventTime start) const {
  const auto number = static_cast<std::uint64_t>(start.time_since_epoch() / hop_);
  return (number + base::Fnv1a64(link)) % options_.snapshot_every == 0;
}

/// Every window that is `snapshot_every` windows old is in the newest snapshot of its link.
void PartitionFold::NoteClosing(Source& source, std::uint64_t first) {
  source.closings.push_back({source.closed_to, first});
  const auto every = static_cast<std::int64_t>(options_.snapshot_every);
  const EventTime kept = source.closed_to - every * hop_;
  while (!source.closings.empty() && source.closings.front().boundary <= kept) source.closings.pop_front();
  if (source.links.empty()) source.closings.clear();
}

void PartitionFold::SnapshotLaggards(FoldOutput& output) {
  const std::uint64_t behind = std::max(kMostWindowsBehind, 2 * options_.snapshot_every * link_count());
  for (auto& [name, source] : sources_) {
    if (source.closings.empty() || next_window_ - source.closings.front().first < behind) continue;
    for (const auto& [link_name, link] : source.links) {
      if (link.history) output.changed[link_name] = link.history->Snapshot(name);
    }
    source.closings.clear();
  }
}

std::uint64_t PartitionFold::OldestNeededWindow() const {
  std::uint64_t oldest = next_window_;
  for (const auto& [name, source] : sources_) {
    if (!source.closings.empty()) oldest = std::min(oldest, source.closings.front().first);
  }
  return oldest;
}

void PartitionFold::ForgetMarks() {
  const auto oldest = OldestNeededOffset();
  for (auto& [name, source] : sources_) {
    while (!source.marks.empty() && (!oldest || source.marks.front().offset < *oldest))
      source.marks.pop_front();
  }
}

Progress PartitionFold::ProgressBefore(std::int64_t offset) const {
  Progress progress;
  for (const auto& [name, source] : sources_) {
    const auto not_before = [offset](const Mark& mark) { return mark.offset >= offset; };
    const auto mark = std::find_if(source.marks.begin(), source.marks.end(), not_before);
    const SourceProgress& before = mark == source.marks.end() ? source.progress : mark->before;
    if (before.epoch > 0) progress[name] = before;
  }
  return progress;
}

Progress PartitionFold::ProgressNow() const {
  Progress progress;
  for (const auto& [name, source] : sources_) {
    if (source.progress.epoch > 0) progress[name] = source.progress;
  }
  return progress;
}

void PartitionFold::BeginRefold(const Progress& before) {
  refolding_ = true;
  for (const auto& [name, kept] : before) {
    Source& source = sources_[name];
    source.progress = kept;
    if (kept.watermark != base::kBeginningOfTime) source.closed_to = ClosedBy(kept.watermark);
  }
}

void PartitionFold::EndRefold(const Progress& now,
                              std::map<std::string, std::map<std::string, LinkHistory>> links,
                              const WindowNumbers& numbers) {
  refolding_ = false;
  next_window_ = numbers.next;
  for (const auto& [name, kept] : now) {
    Source& source = sources_[name];
    source.progress = kept;  // a source that vanished is further than its batches say
    if (kept.watermark != base::kBeginningOfTime)
      source.closed_to = std::max(source.closed_to, ClosedBy(kept.watermark));
    if (kept.final) source.links.clear();
    for (auto& [link_name, link] : source.links) DropBelow(source.closed_to, link);
  }
  for (auto& [name, histories] : links) {
    if (!now.contains(name)) continue;
    Source& source = sources_[name];
    for (auto& [link_name, history] : histories) {
      // One that is behind would write windows again that were written.
      if (history.next_start() + options_.window_length <= source.closed_to) continue;
      source.links[link_name].history = std::move(history);
    }
    source.closings.push_back({source.closed_to, numbers.needed});
  }
  for (auto& [name, source] : sources_) {
    std::erase_if(source.links, [](const auto& entry) {
      return !entry.second.history && entry.second.open.empty() && entry.second.late.empty();
    });
  }
}

}  // namespace flowcast::window
