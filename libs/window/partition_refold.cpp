// What a restart needs, and how it stands where the fold before it stood.
#include <algorithm>
#include <string_view>
#include <unordered_map>
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

void PartitionFold::NoteClosing(Source& source, std::uint64_t first) {
  source.closings.push_back({source.progress.closed_to, first, next_window_});
  TrimClosings(source);
  if (source.links.empty()) source.closings.clear();
}

/// Every window that is `snapshot_every` windows older than what histories were told is in the newest
/// snapshot of its link.
void PartitionFold::TrimClosings(Source& source) const {
  const auto is_told = [told = first_owed()](const Closing& closing) { return closing.end <= told; };
  const auto newest = std::find_if(source.closings.rbegin(), source.closings.rend(), is_told);
  if (newest == source.closings.rend()) return;
  const EventTime kept = newest->boundary - static_cast<std::int64_t>(options_.snapshot_every) * hop_;
  while (!source.closings.empty() && source.closings.front().boundary <= kept) source.closings.pop_front();
}

void PartitionFold::SnapshotLaggards(FoldOutput& output) {
  const std::uint64_t behind = std::max(kMostWindowsBehind, 2 * options_.snapshot_every * link_count());
  for (auto& [name, source] : sources_) {
    if (source.closings.empty() || next_window_ - source.closings.front().first < behind) continue;
    for (const auto& [link_name, link] : source.links) {
      if (link.history) output.changed[link_name] = link.history->Snapshot(name);
    }
    std::erase_if(source.closings,
                  [told = first_owed()](const Closing& closing) { return closing.end <= told; });
  }
}

std::uint64_t PartitionFold::OldestNeededWindow() const {
  std::uint64_t oldest = first_owed();
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

void PartitionFold::BeginRefold(const Progress& before, const Progress& now) {
  refolding_ = true;
  refold_to_ = now;
  for (const auto& [name, kept] : before) sources_[name].progress = kept;
}

/// What the fold that this one stands for had closed; a former self of the source it had closed whole.
void PartitionFold::DropClosed(const std::string& name, Source& source) {
  SourceProgress& progress = source.progress;
  const auto now = refold_to_.find(name);
  const bool is_former = now == refold_to_.end() || now->second.epoch != progress.epoch ||
                         now->second.content != progress.content;
  if (progress.ending && (is_former || now->second.final)) {
    source.links.clear();
    progress.ending = false;
    progress.final = true;
    ForgetMarks();
    return;
  }
  EventTime closed_to = Due(source);
  if (!is_former) closed_to = std::min(closed_to, now->second.closed_to);
  if (closed_to <= progress.closed_to) return;
  progress.closed_to = closed_to;
  for (auto& [link_name, link] : source.links) DropBelow(closed_to, link);
  ForgetMarks();
}

void PartitionFold::EndRefold(std::map<std::string, RestoredLinks>&& links, RestoredWindows&& windows) {
  refolding_ = false;
  next_window_ = windows.next;
  last_window_ = std::move(windows.last);
  const Progress now = std::exchange(refold_to_, {});
  std::erase_if(sources_, [&now](const auto& entry) { return !now.contains(entry.first); });
  for (const auto& [name, kept] : now) {
    Source& source = sources_[name];
    source.progress = kept;  // a source that vanished is further than its batches say
    if (kept.final) source.links.clear();
    for (auto& [link_name, link] : source.links) DropBelow(kept.closed_to, link);
  }
  for (auto& [name, restored] : links) {
    if (!now.contains(name)) continue;
    Source& source = sources_[name];
    source.former = FormerLinks(std::move(restored.former));
    for (auto& [link_name, history] : restored.watched) {
      Link& link = source.links[link_name];
      link.next_start = history.next_start();
      link.idle_since = history.idle_since();
      link.history = std::move(history);
    }
    source.closings.push_back({source.progress.closed_to, windows.needed, windows.next});
  }
  RestoreOwed(std::move(windows.owed));
  DropLaggards();
}

/// Those of links that are not known any more keep their places: what is owed is told by its number.
void PartitionFold::RestoreOwed(std::vector<feature::Window>&& windows) {
  if (windows.empty()) return;
  std::unordered_map<std::string_view, Owed> links;
  for (auto& [name, source] : sources_) {
    for (auto& [link_name, link] : source.links) {
      if (link.history) links[link_name] = {&link, &link_name, &name, {}};
    }
  }
  for (feature::Window& window : windows) {
    const auto found = links.find(window.link);
    Owed owed = found == links.end() ? Owed{} : found->second;
    if (owed.link != nullptr && owed.link->next_start != window.start) owed = {};
    if (owed.link != nullptr) {
      owed.link->next_start = window.start + hop_;
      if (window.packets > 0) owed.link->idle_since = window.end();
      owed.window = std::move(window);
    }
    owed_.push_back(std::move(owed));
  }
}

/// Links that are behind would write windows again that were written.
void PartitionFold::DropLaggards() {
  for (auto& [name, source] : sources_) {
    for (auto& [link_name, link] : source.links) {
      if (link.history && link.next_start + options_.window_length <= source.progress.closed_to)
        link.history.reset();
    }
  }
  for (Owed& owed : owed_) {
    if (owed.link != nullptr && !owed.link->history) owed = {};
  }
  for (auto& [name, source] : sources_) {
    std::erase_if(source.links, [](const auto& entry) {
      return !entry.second.history && entry.second.open.empty() && entry.second.late.empty();
    });
  }
}

}  // namespace flowcast::window
