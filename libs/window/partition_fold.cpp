// Repeats, windows and watermarks.
#include "libs/window/partition_fold.h"

#include <algorithm>
#include <utility>

namespace flowcast::window {

using base::EventTime;
using packet::PacketBatch;

namespace {

/// A window opened there would hold the committed position back until its time comes.
bool IsFarAhead(const PacketBatch& batch, EventTime time) {
  constexpr base::Duration kFar = std::chrono::hours(1);
  return batch.watermark != base::kBeginningOfTime && time - kFar > batch.watermark;
}

}  // namespace

/// The packets of one flow of a batch that fell into one window, before they are added to it.
struct PartitionFold::FlowSlot {
  OpenWindow* window = nullptr;
  feature::FlowPart part;

  void Add(EventTime time, std::uint32_t bytes) {
    ++part.packets;
    part.bytes += bytes;
    part.last = std::max(part.last, time);
  }
  void Flush(const packet::BatchFlow& flow, const feature::FeatureOptions& options) {
    if (part.packets > 0) window->sums.AddFlow(flow, part, options);
    part = {};
  }
};

base::Duration HopOf(const FoldOptions& options) {
  return options.hop > base::Duration::zero() ? options.hop : options.window_length;
}

HistoryOptions HistoryOptionsOf(const FoldOptions& options) {
  return {.sequence_length = options.sequence_length,
          .hop = HopOf(options),
          .coming_windows = options.coming_windows,
          .schema = options.schema.get()};
}

void PartitionFold::Apply(const PacketBatch& batch, std::int64_t offset, FoldOutput& output) {
  ++counters_.batches;
  counters_.packets_in += batch.size();
  Source& source = sources_[batch.source];
  source.vanished = false;
  const SourceProgress before = source.progress;
  const auto first = FirstNew(batch, batch.source, source, output);
  counters_.repeated_packets += first.value_or(batch.size());
  if (!first) {
    ++counters_.repeated_batches;
    return;
  }
  source.marks.push_back({offset, before});
  source.progress.started = batch.started;
  AddPackets(batch, *first, offset, source);
  source.progress.watermark = std::max(source.progress.watermark, batch.watermark);
  if (source.progress.watermark != base::kBeginningOfTime)
    CloseUpTo(ClosedBy(source.progress.watermark), batch.source, source, false, output);
  if (batch.final) {
    Finish(batch.source, source, output);
    ForgetSources();
  }
  if (!refolding_) SnapshotLaggards(output);
}

/// The first packet of the batch that was not had before; nothing when the batch tells nothing new.
std::optional<std::size_t> PartitionFold::FirstNew(const PacketBatch& batch, const std::string& name,
                                                   Source& source, FoldOutput& output) {
  SourceProgress& progress = source.progress;
  if (batch.epoch < progress.epoch) return std::nullopt;
  if (batch.epoch > progress.epoch || batch.content != progress.content) Restart(batch, name, source, output);
  const std::uint64_t end = batch.sequence + batch.size();
  const bool tells_more = end > progress.next_sequence || batch.watermark > progress.watermark || batch.final;
  if (progress.final || end < progress.next_sequence || !tells_more) return std::nullopt;
  if (batch.sequence > progress.next_sequence)
    counters_.missing_packets += batch.sequence - progress.next_sequence;
  const std::size_t first =
      progress.next_sequence > batch.sequence ? progress.next_sequence - batch.sequence : 0;
  progress.next_sequence = end;
  return first;
}

/// A source that began afresh, or sends something else under the same name.
void PartitionFold::Restart(const PacketBatch& batch, const std::string& name, Source& source,
                            FoldOutput& output) {
  SourceProgress& progress = source.progress;
  if (progress.epoch != 0 && !progress.final) {
    ++counters_.restarted_sources;
    if (progress.watermark != base::kBeginningOfTime && batch.started > progress.watermark)
      counters_.gap_ns += static_cast<std::uint64_t>((batch.started - progress.watermark).count());
    Finish(name, source, output);
  }
  progress = {.epoch = batch.epoch, .content = batch.content, .next_sequence = batch.sequence};
  source.closed_to = base::kBeginningOfTime;
}

void PartitionFold::AddPackets(const PacketBatch& batch, std::size_t first, std::int64_t offset,
                               Source& source) {
  for (base::Duration phase{0}; phase < options_.window_length; phase += hop_)
    AddPhase(batch, first, offset, phase, source);
}

/// To the row of windows whose starts are `phase` after a multiple of their length.
void PartitionFold::AddPhase(const PacketBatch& batch, std::size_t first, std::int64_t offset,
                             base::Duration phase, Source& source) {
  struct Cursor {
    Link* link = nullptr;
    OpenWindow* window = nullptr;
    EventTime start = base::kEndOfTime;
  };
  std::vector<Cursor> cursors(batch.links.size());
  std::vector<FlowSlot> slots(batch.flows.size());
  std::size_t straggler = 0;
  for (std::size_t i = first; i < batch.size(); ++i) {
    const std::uint32_t flow_index = batch.flow_indexes[i];
    const packet::BatchFlow& flow = batch.flows[flow_index];
    const EventTime time = batch.times[i];
    Cursor& cursor = cursors[flow.link];
    if (cursor.link == nullptr) cursor.link = &source.links[batch.links[flow.link]];
    if (time < cursor.start || time >= cursor.start + options_.window_length) {
      cursor.start = base::AlignDown(time - phase, options_.window_length) + phase;
      cursor.window = nullptr;
    }
    if (IsFarAhead(batch, time)) {
      counters_.ahead_packets += phase == base::Duration::zero() ? 1 : 0;
      continue;
    }
    const auto late_after = LateAfter(batch, i, cursor.start, straggler);
    if (!late_after && cursor.window == nullptr)
      cursor.window = FindWindow(source, *cursor.link, cursor.start, offset);
    if (late_after || cursor.window == nullptr) {
      if (phase == base::Duration::zero())
        CountLate(*cursor.link, late_after.value_or(source.closed_to), offset);
      continue;
    }
    const std::uint32_t bytes = batch.wire_lengths_bytes[i];
    cursor.window->sums.AddPacket({time, bytes, batch.tcp_flags[i], batch.traffic_classes[i], batch.marks[i]},
                                  flow.key, options_.features.burst_gap);
    FlowSlot& slot = slots[flow_index];
    if (slot.window != cursor.window) slot.Flush(flow, options_.features);
    slot.window = cursor.window;
    slot.Add(time, bytes);
  }
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].Flush(batch.flows[i], options_.features);
}

/// `boundary` was closed when the packet came.
void PartitionFold::CountLate(Link& link, EventTime boundary, std::int64_t offset) {
  const EventTime next_start = boundary - options_.window_length + hop_;
  const auto [position, added] = link.late.try_emplace(next_start);
  if (added) position->second.first = needed_.Need(offset);
  ++position->second.packets;
  ++counters_.late_packets;
}

/// The boundary that was closed when the packet came, where that was beyond its window; wherever
/// batches end. `straggler` goes through the batch's stragglers along with the packets.
std::optional<EventTime> PartitionFold::LateAfter(const PacketBatch& batch, std::size_t packet,
                                                  EventTime start, std::size_t& straggler) const {
  const auto& stragglers = batch.stragglers;
  while (straggler < stragglers.size() && stragglers[straggler].packet < packet) ++straggler;
  if (straggler == stragglers.size() || stragglers[straggler].packet != packet) return std::nullopt;
  const EventTime boundary = ClosedBy(stragglers[straggler].watermark);
  return start + options_.window_length <= boundary ? std::optional(boundary) : std::nullopt;
}

/// Late packets belong to the first window that closes after they came.
std::uint64_t PartitionFold::TakeLate(Link& link, EventTime start) {
  std::uint64_t count = 0;
  const auto end = link.late.upper_bound(start);
  for (auto position = link.late.begin(); position != end; ++position) count += position->second.packets;
  link.late.erase(link.late.begin(), end);
  return count;
}

PartitionFold::OpenWindow* PartitionFold::FindWindow(const Source& source, Link& link, EventTime start,
                                                     std::int64_t offset) {
  if (start + options_.window_length <= source.closed_to) return nullptr;
  const auto [position, added] = link.open.try_emplace(start);
  if (added) position->second.first = needed_.Need(offset);
  return &position->second;
}

void PartitionFold::CloseUpTo(EventTime boundary, const std::string& name, Source& source, bool source_ends,
                              FoldOutput& output) {
  if (boundary <= source.closed_to) return;
  const std::uint64_t first = next_window_;
  for (auto position = source.links.begin(); position != source.links.end();) {
    Link& link = position->second;
    const bool watched =
        refolding_ || CloseLink(position->first, link, boundary, name, source, source_ends, output);
    DropBelow(boundary, link);
    position = watched ? std::next(position) : source.links.erase(position);
  }
  source.closed_to = boundary;
  if (!refolding_) NoteClosing(source, first);
  ForgetMarks();
}

/// What windows that end at `boundary` or before would have taken.
void PartitionFold::DropBelow(EventTime boundary, Link& link) const {
  const EventTime last_start = boundary - options_.window_length;
  link.open.erase(link.open.begin(), link.open.upper_bound(last_start));
  link.late.erase(link.late.begin(), link.late.upper_bound(last_start));
}

bool PartitionFold::CloseLink(const std::string& name, Link& link, EventTime boundary,
                              const std::string& source_name, const Source& source, bool source_ends,
                              FoldOutput& output) {
  bool snapshot_is_due = false;
  for (;;) {
    auto& history = link.history;
    if (history && history->next_start() - history->idle_since() >= options_.link_expiry &&
        history->next_start() + options_.window_length <= boundary) {
      ++counters_.retired_links;
      output.changed[name] = std::nullopt;
      history.reset();
    }
    if (!history) {
      if (link.open.empty()) return false;
      const EventTime begin = link.open.begin()->first;
      if (begin + options_.window_length > boundary) break;
      history.emplace(HistoryOptionsOf(options_), begin);
      // Whether the link was known when these came depends on where batches ended.
      TakeLate(link, begin);
      snapshot_is_due = true;
    }
    if (history->next_start() + options_.window_length > boundary) break;
    snapshot_is_due = snapshot_is_due || SnapshotIsDue(name, history->next_start());
    output.closed.push_back(CloseNext(name, link, source, source_ends));
  }
  if (snapshot_is_due && link.history) output.changed[name] = link.history->Snapshot(source_name);
  return true;
}

ClosedWindow PartitionFold::CloseNext(const std::string& name, Link& link, const Source& source,
                                      bool source_ends) {
  const EventTime start = link.history->next_start();
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
                   .partial = start < progress.started || (source_ends && progress.watermark < end),
                   .packets = sums.packets(),
                   .bytes = sums.bytes(),
                   .late_packets = TakeLate(link, start),
                   .approximate = sums.approximate(),
                   .features = options_.schema->Select(sums.Features(start, options_.window_length))};
  closed.sequence = link.history->Add(closed.window);
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

void PartitionFold::Finish(const std::string& name, Source& source, FoldOutput& output) {
  CloseUpTo(EndOfOpenWindows(source), name, source, true, output);
  ForgetLinks(source, output);
  source.progress.final = true;
}

void PartitionFold::Vanish(const std::string& name, FoldOutput& output) {
  const auto found = sources_.find(name);
  if (found == sources_.end() || found->second.progress.final) return;
  Source& source = found->second;
  source.vanished = true;
  if (source.links.empty()) return;
  ++counters_.vanished_sources;
  const EventTime end = EndOfOpenWindows(source);
  CloseUpTo(end, name, source, true, output);
  source.progress.watermark = std::max(source.progress.watermark, end + options_.lateness);
  ForgetLinks(source, output);
}

void PartitionFold::ForgetLinks(Source& source, FoldOutput& output) {
  if (!refolding_) {
    for (const auto& [name, link] : source.links) {
      if (link.history) output.changed[name] = std::nullopt;
    }
  }
  source.links.clear();
  source.closings.clear();
}

/// Of the sources that ended more than so many ago those whose time is the oldest.
void PartitionFold::ForgetSources() {
  std::vector<std::pair<EventTime, std::string>> ended;
  for (const auto& [name, source] : sources_) {
    if (source.progress.final && source.marks.empty()) ended.emplace_back(source.progress.watermark, name);
  }
  if (ended.size() <= options_.ended_sources) return;
  const auto kept = ended.end() - static_cast<std::ptrdiff_t>(options_.ended_sources);
  std::nth_element(ended.begin(), kept, ended.end());
  for (auto forgotten = ended.begin(); forgotten != kept; ++forgotten) sources_.erase(forgotten->second);
}

std::size_t PartitionFold::link_count() const {
  std::size_t count = 0;
  for (const auto& [name, source] : sources_) count += source.links.size();
  return count;
}

std::uint64_t PartitionFold::open_packets() const {
  std::uint64_t packets = 0;
  for (const auto& [name, source] : sources_) {
    for (const auto& [link_name, link] : source.links) {
      for (const auto& [start, window] : link.open)
        packets += base::AlignDown(start, options_.window_length) == start ? window.sums.packets() : 0;
    }
  }
  return packets;
}

std::vector<std::string> PartitionFold::RunningSources() const {
  std::vector<std::string> names;
  for (const auto& [name, source] : sources_) {
    if (!source.progress.final) names.push_back(name);
  }
  return names;
}

EventTime PartitionFold::Watermark() const {
  EventTime oldest = base::kEndOfTime;
  for (const auto& [name, source] : sources_) {
    if (!source.progress.final && !source.vanished) oldest = std::min(oldest, source.progress.watermark);
  }
  return oldest;
}

/// Windows that end here or before are closed once a source's watermark is there.
EventTime PartitionFold::ClosedBy(EventTime watermark) const {
  return base::AlignDown(watermark - options_.lateness, hop_);
}

}  // namespace flowcast::window
