// Repeats, windows, watermarks and what a restart needs.
#include "libs/window/partition_fold.h"

#include <algorithm>
#include <utility>

namespace flowcast::window {

using base::EventTime;
using packet::PacketBatch;

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

namespace {

constexpr std::uint64_t FoldCounters::*kCounters[] = {
    &FoldCounters::batches,         &FoldCounters::repeated_batches,  &FoldCounters::repeated_packets,
    &FoldCounters::missing_packets, &FoldCounters::packets_in,        &FoldCounters::packets_in_windows,
    &FoldCounters::late_packets,    &FoldCounters::windows,           &FoldCounters::sequences,
    &FoldCounters::retired_links,   &FoldCounters::restarted_sources, &FoldCounters::gap_ns};

}  // namespace

FoldCounters& FoldCounters::operator+=(const FoldCounters& other) {
  for (const auto counter : kCounters) this->*counter += other.*counter;
  return *this;
}

FoldCounters& FoldCounters::operator-=(const FoldCounters& other) {
  for (const auto counter : kCounters) this->*counter -= other.*counter;
  return *this;
}

void PartitionFold::Apply(const PacketBatch& batch, std::int64_t offset, std::vector<ClosedWindow>& closed) {
  ++counters_.batches;
  counters_.packets_in += batch.size();
  Source& source = sources_[batch.source];
  const SourceProgress before = source.progress;
  const auto first = FirstNew(batch, source, closed);
  counters_.repeated_packets += first.value_or(batch.size());
  if (!first) {
    ++counters_.repeated_batches;
    return;
  }
  source.marks.push_back({offset, before});
  source.started = batch.started;
  AddPackets(batch, *first, offset, source);
  source.progress.watermark = std::max(source.progress.watermark, batch.watermark);
  CloseUpTo(source.progress.watermark, source, closed);
  if (batch.final) Finish(source, closed);
}

/// The first packet of the batch that was not had before; nothing when the batch tells nothing new.
std::optional<std::size_t> PartitionFold::FirstNew(const PacketBatch& batch, Source& source,
                                                   std::vector<ClosedWindow>& closed) {
  SourceProgress& progress = source.progress;
  if (batch.epoch < progress.epoch) return std::nullopt;
  if (batch.epoch > progress.epoch || batch.content != progress.content) Restart(batch, source, closed);
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
void PartitionFold::Restart(const PacketBatch& batch, Source& source, std::vector<ClosedWindow>& closed) {
  SourceProgress& progress = source.progress;
  if (progress.epoch != 0 && !progress.final) {
    ++counters_.restarted_sources;
    if (progress.watermark != base::kBeginningOfTime && batch.started > progress.watermark)
      counters_.gap_ns += static_cast<std::uint64_t>((batch.started - progress.watermark).count());
    Finish(source, closed);
  }
  progress = {.epoch = batch.epoch, .content = batch.content, .next_sequence = batch.sequence};
  source.closed_to = base::kBeginningOfTime;
}

void PartitionFold::AddPackets(const PacketBatch& batch, std::size_t first, std::int64_t offset,
                               Source& source) {
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
    if (cursor.link == nullptr) cursor.link = &FindLink(source, batch.links[flow.link], offset);
    const auto late_after = LateAfter(batch, i, straggler);
    if (!late_after && (time < cursor.start || time >= cursor.start + options_.window_length)) {
      cursor.start = base::AlignDown(time, options_.window_length);
      cursor.window = FindWindow(source, *cursor.link, cursor.start, offset);
    }
    if (late_after || cursor.window == nullptr) {
      ++cursor.link->late_packets[late_after.value_or(source.closed_to)];
      ++counters_.late_packets;
      continue;
    }
    const std::uint32_t bytes = batch.wire_lengths_bytes[i];
    cursor.window->sums.AddPacket({time, bytes, batch.tcp_flags[i], batch.traffic_classes[i], batch.marks[i]},
                                  flow.key, options_.features.burst_gap);
    cursor.link->last_packet_offset = offset;
    FlowSlot& slot = slots[flow_index];
    if (slot.window != cursor.window) slot.Flush(flow, options_.features);
    slot.window = cursor.window;
    slot.Add(time, bytes);
  }
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].Flush(batch.flows[i], options_.features);
}

/// The boundary that was closed when the packet came, where that was beyond its window; wherever
/// batches end. `straggler` goes through the batch's stragglers along with the packets.
std::optional<EventTime> PartitionFold::LateAfter(const PacketBatch& batch, std::size_t packet,
                                                  std::size_t& straggler) const {
  const auto& stragglers = batch.stragglers;
  while (straggler < stragglers.size() && stragglers[straggler].packet < packet) ++straggler;
  if (straggler == stragglers.size() || stragglers[straggler].packet != packet) return std::nullopt;
  const EventTime start = base::AlignDown(batch.times[packet], options_.window_length);
  const EventTime boundary = ClosedBy(stragglers[straggler].watermark);
  return start < boundary ? std::optional(boundary) : std::nullopt;
}

/// Late packets belong to the first window that closes after they came.
std::uint64_t PartitionFold::TakeLate(Link& link, EventTime start) {
  std::uint64_t count = 0;
  const auto end = link.late_packets.upper_bound(start);
  for (auto position = link.late_packets.begin(); position != end; ++position) count += position->second;
  link.late_packets.erase(link.late_packets.begin(), end);
  return count;
}

PartitionFold::Link& PartitionFold::FindLink(Source& source, const std::string& name, std::int64_t offset) {
  const auto found = source.links.find(name);
  if (found != source.links.end()) return found->second;
  Link link{.last_packet_offset = offset,
            .needed_offsets = {offset},
            .sequences = feature::SequenceBuilder(options_.sequence_length)};
  return source.links.emplace(name, std::move(link)).first->second;
}

PartitionFold::OpenWindow* PartitionFold::FindWindow(const Source& source, Link& link, EventTime start,
                                                     std::int64_t offset) {
  if (start < source.closed_to) return nullptr;
  const auto [position, added] = link.open.try_emplace(start);
  if (added) position->second.first_offset = offset;
  return &position->second;
}

void PartitionFold::CloseUpTo(EventTime watermark, Source& source, std::vector<ClosedWindow>& closed) {
  if (watermark == base::kBeginningOfTime) return;
  const EventTime boundary = ClosedBy(watermark);
  if (boundary <= source.closed_to) return;
  for (auto position = source.links.begin(); position != source.links.end();) {
    const bool watched = CloseLink(position->first, position->second, boundary, source, false, closed);
    position = watched ? std::next(position) : source.links.erase(position);
  }
  source.closed_to = boundary;
  ForgetMarks();
}

void PartitionFold::Finish(Source& source, std::vector<ClosedWindow>& closed) {
  EventTime newest = base::AlignDown(source.progress.watermark, options_.window_length);
  for (const auto& [name, link] : source.links) {
    if (!link.open.empty()) newest = std::max(newest, link.open.rbegin()->first);
  }
  const EventTime boundary = newest + options_.window_length;
  for (auto& [name, link] : source.links) CloseLink(name, link, boundary, source, true, closed);
  source.links.clear();
  source.progress.final = true;
}

bool PartitionFold::CloseLink(const std::string& name, Link& link, EventTime boundary, const Source& source,
                              bool source_ends, std::vector<ClosedWindow>& closed) {
  while (link.fresh || link.next_start + options_.window_length <= boundary) {
    if (!link.fresh && link.next_start - link.idle_since >= options_.link_expiry) {
      ++counters_.retired_links;
      link.fresh = true;
    }
    if (link.fresh) {
      if (link.open.empty()) return false;
      const EventTime begin = link.open.begin()->first;
      if (begin + options_.window_length > boundary) return true;
      link.fresh = false;
      link.next_start = link.idle_since = begin;
      // Whether the link was known when these came depends on where batches ended.
      TakeLate(link, begin);
    }
    closed.push_back(CloseNext(name, link, source, source_ends));
  }
  return true;
}

ClosedWindow PartitionFold::CloseNext(const std::string& name, Link& link, const Source& source,
                                      bool source_ends) {
  const EventTime start = link.next_start;
  const EventTime end = start + options_.window_length;
  const auto open = link.open.find(start);
  static const feature::Accumulator kNothing;
  const feature::Accumulator& sums = open == link.open.end() ? kNothing : open->second.sums;
  ClosedWindow closed;
  closed.window = {.link = name,
                   .start = start,
                   .length = options_.window_length,
                   .schema_hash = feature::SchemaHash(),
                   .partial = start < source.started || (source_ends && source.progress.watermark < end),
                   .packets = sums.packets(),
                   .bytes = sums.bytes(),
                   .late_packets = TakeLate(link, start),
                   .approximate = sums.approximate()};
  const feature::FeatureValues values = sums.Features(start, options_.window_length);
  std::copy_n(values.begin(), feature::kFeatureCount, closed.window.features.begin());
  closed.sequence = link.sequences.Add(closed.window);
  link.needed_offsets.push_back(open == link.open.end() ? link.last_packet_offset
                                                        : open->second.first_offset);
  if (link.needed_offsets.size() > options_.sequence_length)
    link.needed_offsets.erase(link.needed_offsets.begin());
  counters_.packets_in_windows += sums.packets();
  ++counters_.windows;
  counters_.sequences += closed.sequence ? 1 : 0;
  if (open != link.open.end()) {
    link.open.erase(open);
    link.idle_since = end;
  }
  link.next_start = end;
  return closed;
}

std::optional<std::int64_t> PartitionFold::OldestNeededOffset() const {
  std::optional<std::int64_t> oldest;
  const auto need = [&oldest](std::int64_t offset) { oldest = oldest ? std::min(*oldest, offset) : offset; };
  for (const auto& [source_name, source] : sources_) {
    for (const auto& [link_name, link] : source.links) {
      need(link.last_packet_offset);
      for (const std::int64_t offset : link.needed_offsets) need(offset);
      for (const auto& [start, window] : link.open) need(window.first_offset);
    }
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

std::map<std::string, SourceProgress> PartitionFold::ProgressBefore(std::int64_t offset) const {
  std::map<std::string, SourceProgress> progress;
  for (const auto& [name, source] : sources_) {
    const auto not_before = [offset](const Mark& mark) { return mark.offset >= offset; };
    const auto mark = std::find_if(source.marks.begin(), source.marks.end(), not_before);
    const SourceProgress& before = mark == source.marks.end() ? source.progress : mark->before;
    if (before.epoch > 0) progress[name] = before;
  }
  return progress;
}

void PartitionFold::Restore(const std::map<std::string, SourceProgress>& progress) {
  for (const auto& [name, kept] : progress) {
    Source& source = sources_[name];
    source.progress = kept;
    if (kept.watermark != base::kBeginningOfTime) source.closed_to = ClosedBy(kept.watermark);
  }
}

/// Windows before this are closed once a source's watermark is there.
EventTime PartitionFold::ClosedBy(EventTime watermark) const {
  return base::AlignDown(watermark - options_.lateness, options_.window_length);
}

std::size_t PartitionFold::link_count() const {
  std::size_t count = 0;
  for (const auto& [name, source] : sources_) count += source.links.size();
  return count;
}

EventTime PartitionFold::Watermark() const {
  EventTime oldest = base::kEndOfTime;
  for (const auto& [name, source] : sources_) {
    if (!source.progress.final) oldest = std::min(oldest, source.progress.watermark);
  }
  return oldest;
}

}  // namespace flowcast::window
