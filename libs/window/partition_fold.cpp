// Repeats, windows and watermarks: what a batch adds.
#include "libs/window/partition_fold.h"

#include <algorithm>
#include <utility>

#include "libs/packet/far_ahead.h"

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
  const auto close = [&] {
    while (Close(output)) continue;
  };
  close();
  while (!Take(batch, offset)) close();
  close();
}

bool PartitionFold::Take(const PacketBatch& batch, std::int64_t offset) {
  Source& source = sources_[batch.source];
  source.vanished = false;
  hurry_ = !EndFormerSelf(batch, source);
  if (hurry_) return false;
  ++counters_.batches;
  counters_.packets_in += batch.size();
  const SourceProgress before = source.progress;
  const auto first = FirstNew(batch, source.progress);
  counters_.repeated_packets += first.value_or(batch.size());
  if (!first) {
    ++counters_.repeated_batches;
    return true;
  }
  source.marks.push_back({offset, before});
  source.progress.started = batch.started;
  AddPackets(batch, *first, offset, source);
  source.progress.watermark = std::max(source.progress.watermark, batch.watermark);
  source.progress.ending = batch.final;
  if (refolding_) DropClosed(batch.source, source);
  return true;
}

/// A source that began afresh, or sends something else under the same name: what it was before ends first.
bool PartitionFold::EndFormerSelf(const PacketBatch& batch, Source& source) {
  SourceProgress& progress = source.progress;
  const bool is_other =
      batch.epoch > progress.epoch || (batch.epoch == progress.epoch && batch.content != progress.content);
  if (!is_other) return true;
  if (progress.ending && !refolding_) return false;  // it waits for sequences
  if (progress.epoch != 0 && !progress.final) {
    ++counters_.restarted_sources;
    if (progress.watermark != base::kBeginningOfTime && batch.started > progress.watermark)
      counters_.gap_ns += static_cast<std::uint64_t>((batch.started - progress.watermark).count());
    progress.ending = true;
    if (!refolding_) return false;
    DropClosed(batch.source, source);
  }
  progress = {.epoch = batch.epoch, .content = batch.content, .next_sequence = batch.sequence};
  return true;
}

/// The first packet of the batch that was not had before; nothing when the batch tells nothing new.
std::optional<std::size_t> PartitionFold::FirstNew(const PacketBatch& batch, SourceProgress& progress) {
  if (batch.epoch < progress.epoch) return std::nullopt;
  const std::uint64_t end = batch.sequence + batch.size();
  const bool tells_more = end > progress.next_sequence || batch.watermark > progress.watermark || batch.final;
  const bool is_over = progress.final || (progress.ending && !refolding_);
  if (is_over || end < progress.next_sequence || !tells_more) return std::nullopt;
  if (batch.sequence > progress.next_sequence)
    counters_.missing_packets += batch.sequence - progress.next_sequence;
  const std::size_t first =
      progress.next_sequence > batch.sequence ? progress.next_sequence - batch.sequence : 0;
  progress.next_sequence = end;
  return first;
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
    if (packet::IsFarAhead(time, batch.watermark)) {
      counters_.ahead_packets += phase == base::Duration::zero() ? 1 : 0;
      continue;
    }
    const auto late_after = LateAfter(batch, i, cursor.start, straggler);
    if (!late_after && cursor.window == nullptr)
      cursor.window = FindWindow(source, *cursor.link, cursor.start, offset);
    if (late_after || cursor.window == nullptr) {
      if (phase == base::Duration::zero())
        CountLate(*cursor.link, late_after.value_or(source.progress.closed_to), offset);
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

PartitionFold::OpenWindow* PartitionFold::FindWindow(const Source& source, Link& link, EventTime start,
                                                     std::int64_t offset) {
  if (start + options_.window_length <= source.progress.closed_to) return nullptr;
  const auto [position, added] = link.open.try_emplace(start);
  if (added) position->second.first = needed_.Need(offset);
  return &position->second;
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
