// What closes when, and what is forgotten.
#include <algorithm>
#include <utility>

#include "libs/window/partition_fold.h"

namespace flowcast::window {

using base::EventTime;

bool PartitionFold::Close(FoldOutput& output) {
  const std::size_t enough = output.closed.size() + options_.close_at_once;
  for (auto& [name, source] : sources_) {
    for (EventTime due = Due(source); HasWork(source, due); due = Due(source)) {
      if (output.closed.size() >= enough) return true;
      if (MustCatchUp()) {
        MakeSequences(options_.close_at_once, output);
        return true;
      }
      if (EndWaits(source, due)) break;
      CloseStep(due, name, source, output);
    }
  }
  ForgetSources(output);
  SnapshotLaggards(output);
  return false;
}

/// One window of each link may wait for its sequence, not two.
bool PartitionFold::MustCatchUp() const {
  if (owed_.empty()) return false;
  return hurry_ || owed_.size() >= std::max(options_.close_at_once, link_count());
}

/// The histories of its links must be whole before anything of them is kept.
bool PartitionFold::EndWaits(const Source& source, EventTime due) const {
  return source.progress.ending && source.progress.closed_to >= due && IsOwed(source);
}

/// Perhaps: one that was restored counts as owed until all that was restored is told.
bool PartitionFold::IsOwed(const Source& source) const {
  return !source.closings.empty() && source.closings.back().end > first_owed();
}

/// Windows that end here or before are to be closed.
EventTime PartitionFold::Due(const Source& source) const {
  if (source.progress.ending) return EndOfOpenWindows(source);
  const EventTime watermark = source.progress.watermark;
  return watermark == base::kBeginningOfTime ? watermark : ClosedBy(watermark);
}

bool PartitionFold::HasWork(const Source& source, EventTime due) {
  return source.progress.ending || due > source.progress.closed_to;
}

/// As far towards what is due as makes about `close_at_once` windows.
EventTime PartitionFold::NextStep(EventTime due, const Source& source) const {
  EventTime next = base::kEndOfTime;  // the end of the oldest window that is not closed
  for (const auto& [name, link] : source.links) {
    if (link.history)
      next = std::min(next, link.next_start + options_.window_length);
    else if (!link.open.empty())
      next = std::min(next, link.open.begin()->first + options_.window_length);
  }
  next = std::max(next, source.progress.closed_to + hop_);
  if (next >= due) return due;
  const std::size_t hops = options_.close_at_once / source.links.size();
  return std::min(due, next + static_cast<std::int64_t>(hops) * hop_);
}

void PartitionFold::CloseStep(EventTime due, const std::string& name, Source& source, FoldOutput& output) {
  CloseUpTo(NextStep(due, source), name, source, output);
  if (source.progress.ending && source.progress.closed_to >= due && !IsOwed(source))
    FinishEnd(name, source, output);
}

void PartitionFold::FinishEnd(const std::string& name, Source& source, FoldOutput& output) {
  ForgetLinks(name, source, output);
  source.progress.ending = false;
  source.progress.final = true;
}

bool PartitionFold::MakeSequences(std::size_t windows, FoldOutput& output) {
  Settle(windows, output);
  for (auto& [name, source] : sources_) {
    const EventTime due = Due(source);
    if (source.progress.ending && source.progress.closed_to >= due && !EndWaits(source, due))
      FinishEnd(name, source, output);
  }
  return !owed_.empty();
}

void PartitionFold::Settle(std::size_t windows, FoldOutput& output) {
  if (owed_.empty()) return;
  for (; windows > 0 && !owed_.empty(); --windows, owed_.pop_front()) {
    Owed& owed = owed_.front();
    if (owed.link == nullptr) continue;
    LinkHistory& history = *owed.link->history;
    const bool snapshot_is_due = SnapshotIsDue(*owed.name, history.next_start());
    if (auto sequence = history.Add(std::move(owed.window))) {
      ++counters_.sequences;
      output.sequences.push_back(std::move(*sequence));
    }
    if (snapshot_is_due) output.changed[*owed.name] = history.Snapshot(*owed.source);
  }
  for (auto& [name, source] : sources_) TrimClosings(source);
}

void PartitionFold::CloseUpTo(EventTime boundary, const std::string& name, Source& source,
                              FoldOutput& output) {
  if (boundary <= source.progress.closed_to) return;
  const std::uint64_t first = next_window_;
  later_ = !owed_.empty() || source.links.size() > options_.sequences_at_once;
  for (auto position = source.links.begin(); position != source.links.end();) {
    Link& link = position->second;
    const bool watched = CloseLink(position->first, link, boundary, name, source, output);
    DropBelow(boundary, link);
    position = watched ? std::next(position) : source.links.erase(position);
  }
  source.former.Tidy(source.progress.closed_to, boundary, output.changed);
  source.progress.closed_to = boundary;
  if (next_window_ != first)
    last_window_ = {output.closed.back().window.link, output.closed.back().window.start};
  NoteClosing(source, first);
  ForgetMarks();
}

/// What windows that end at `boundary` or before would have taken.
void PartitionFold::DropBelow(EventTime boundary, Link& link) const {
  if (boundary == base::kBeginningOfTime) return;  // nothing was closed
  const EventTime last_start = boundary - options_.window_length;
  link.open.erase(link.open.begin(), link.open.upper_bound(last_start));
  link.late.erase(link.late.begin(), link.late.upper_bound(last_start));
}

bool PartitionFold::CloseLink(const std::string& name, Link& link, EventTime boundary,
                              const std::string& source_name, Source& source, FoldOutput& output) {
  bool snapshot_is_due = false;
  for (;;) {
    auto& history = link.history;
    if (history && link.next_start - link.idle_since >= options_.link_expiry &&
        link.next_start + options_.window_length <= boundary) {
      ++counters_.retired_links;
      Forget(name, link, source_name, source, output);
    }
    if (!history) {
      if (link.open.empty()) return false;
      const EventTime begin = link.open.begin()->first;
      if (begin + options_.window_length > boundary) break;
      history.emplace(HistoryOptionsOf(options_), begin, source.former.Take(name, begin));
      link.next_start = link.idle_since = begin;
      // Whether the link was known when these came depends on where batches ended.
      TakeLate(link, begin);
      snapshot_is_due = true;
      if (later_) output.changed[name] = history->Snapshot(source_name);
    }
    if (link.next_start + options_.window_length > boundary) break;
    snapshot_is_due = !later_ && (snapshot_is_due || SnapshotIsDue(name, link.next_start));
    output.closed.push_back(CloseNext(name, link, source_name, source));
  }
  if (snapshot_is_due && link.history) output.changed[name] = link.history->Snapshot(source_name);
  return true;
}

/// Late packets belong to the first window that closes after they came.
std::uint64_t PartitionFold::TakeLate(Link& link, EventTime start) {
  std::uint64_t count = 0;
  const auto end = link.late.upper_bound(start);
  for (auto position = link.late.begin(); position != end; ++position) count += position->second.packets;
  link.late.erase(link.late.begin(), end);
  return count;
}

ClosedWindow PartitionFold::CloseNext(const std::string& name, Link& link, const std::string& source_name,
                                      const Source& source) {
  const EventTime start = link.next_start;
  const EventTime end = start + options_.window_length;
  const auto open = link.open.find(start);
  static const feature::Accumulator kNothing;
  const feature::Accumulator& sums = open == link.open.end() ? kNothing : open->second.sums;
  const SourceProgress& progress = source.progress;
  ClosedWindow closed;
  closed.window = {.link = name,
                   .start = start,
                   .length = options_.window_length,
                   .schema_hash = options_.schema->hash(),
                   .partial = start < progress.started ||
                              ((progress.ending || source.vanished) && progress.watermark < end),
                   .packets = sums.packets(),
                   .bytes = sums.bytes(),
                   .late_packets = TakeLate(link, start),
                   .approximate = sums.approximate(),
                   .features = options_.schema->Select(sums.Features(start, options_.window_length))};
  link.next_start = start + hop_;
  if (sums.packets() > 0) link.idle_since = end;
  if (later_) {
    owed_.push_back({&link, &name, &source_name, closed.window});
  } else {
    closed.sequence = link.history->Add(closed.window);
  }
  if (base::AlignDown(start, options_.window_length) == start) counters_.packets_in_windows += sums.packets();
  ++counters_.windows;
  ++next_window_;
  counters_.sequences += closed.sequence ? 1 : 0;
  if (open != link.open.end()) link.open.erase(open);
  return closed;
}

/// Behind the newest open window; at least behind the one that the watermark is in.
EventTime PartitionFold::EndOfOpenWindows(const Source& source) const {
  EventTime newest = base::AlignDown(source.progress.watermark, hop_);
  for (const auto& [name, link] : source.links) {
    if (!link.open.empty()) newest = std::max(newest, link.open.rbegin()->first);
  }
  return newest + options_.window_length;
}

void PartitionFold::Vanish(const std::string& name, FoldOutput& output) {
  const auto found = sources_.find(name);
  if (found == sources_.end() || found->second.progress.final) return;
  Source& source = found->second;
  source.vanished = true;
  if (source.links.empty()) return;
  ++counters_.vanished_sources;
  const EventTime end = EndOfOpenWindows(source);
  CloseUpTo(end, name, source, output);
  source.progress.watermark = std::max(source.progress.watermark, end + options_.lateness);
  ForgetLinks(name, source, output);
}

void PartitionFold::Forget(const std::string& name, Link& link, const std::string& source_name,
                           Source& source, FoldOutput& output) {
  if (link.history->next_start() != link.next_start) Settle(owed_.size(), output);
  auto remains = link.history->Remains(source_name);
  link.history.reset();
  if (remains) source.former.Keep(name, *remains);
  output.changed[name] = std::move(remains);
}

void PartitionFold::ForgetLinks(const std::string& source_name, Source& source, FoldOutput& output) {
  if (IsOwed(source)) Settle(owed_.size(), output);
  for (auto& [name, link] : source.links) {
    if (link.history) Forget(name, link, source_name, source, output);
  }
  source.links.clear();
  source.closings.clear();
}

bool PartitionFold::HasEnded(const Source& source, EventTime newest) const {
  if (source.progress.final) return true;
  return source.vanished && source.links.empty() &&
         source.progress.watermark < newest - options_.vanished_for;
}

/// Of the sources that ended more than so many ago those whose time is the oldest.
void PartitionFold::ForgetSources(FoldOutput& output) {
  if (sources_.size() <= options_.ended_sources) return;
  EventTime newest = base::kBeginningOfTime;
  for (const auto& [name, source] : sources_) newest = std::max(newest, source.progress.watermark);
  std::vector<std::pair<EventTime, std::string>> ended;
  for (const auto& [name, source] : sources_) {
    if (source.marks.empty() && HasEnded(source, newest)) ended.emplace_back(source.progress.watermark, name);
  }
  if (ended.size() <= options_.ended_sources) return;
  const auto kept = ended.end() - static_cast<std::ptrdiff_t>(options_.ended_sources);
  std::nth_element(ended.begin(), kept, ended.end());
  for (auto forgotten = ended.begin(); forgotten != kept; ++forgotten) {
    sources_[forgotten->second].former.Clear(output.changed);
    sources_.erase(forgotten->second);
  }
}

}  // namespace flowcast::window
