// Decode, fold, encode.
#include "services/features/features_service.h"

#include <algorithm>
#include <utility>

#include "libs/base/text.h"
#include "libs/slice/skipped.h"
#include "libs/trace/trace.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"
#include "services/features/batch_trace.h"

namespace flowcast::services {
namespace {
constexpr base::Duration kVanishedEvery = std::chrono::seconds(1);
}

void FeaturesTask::OnAssigned(const std::vector<bus::Position>& partitions) {
  for (const bus::Position& position : partitions) {
    Partition partition{.fold = window::PartitionFold(options_.fold),
                        .state = store_->Load(position),
                        .begun = clock_.Steady()};
    partition.fold.BeginRefold(partition.state.before, partition.state.now);
    if (partition.state.next_offset <= std::max<std::int64_t>(position.offset, 0)) GoLive(partition);
    partitions_.insert_or_assign(position.at, std::move(partition));
  }
}

void FeaturesTask::OnRevoked(const std::vector<bus::TopicPartition>& partitions) {
  for (const bus::TopicPartition& at : partitions) {
    const auto found = partitions_.find(at);
    if (found == partitions_.end()) continue;
    past_ += found->second.fold.counters();
    past_ -= found->second.before_live;
    partitions_.erase(found);
  }
}

bool FeaturesTask::OnRecord(const bus::InRecord& record, slice::Outbox& outbox) {
  Partition& partition = partitions_.at(record.from);
  // What was to be folded again is not there any more.
  if (!partition.live && record.offset >= partition.state.next_offset) GoLive(partition);
  if (!partition.live) {
    Refold(record, partition);
    return true;
  }
  ForgetLeftover(record.from.partition, partition, outbox);
  if (CloseSome(record.from.partition, partition, outbox)) return false;
  if (record.offset < partition.state.next_offset) return true;  // taken, and all that it closed is closed
  const auto batch = wire::DecodePacketBatch(record.value);
  if (!batch) Refuse(record, batch.error());
  if (batch && !partition.fold.Take(*batch, record.offset)) return false;
  if (batch) partition.heard[batch->source] = clock_.Steady();
  if (options_.trace && batch && batch->size() > 0) Trace(record, *batch);
  partition.state.next_offset = record.offset + 1;
  partition.state.produced_at = record.produced_at;
  partition.moved = true;
  return !CloseSome(record.from.partition, partition, outbox);
}

void FeaturesTask::ForgetLeftover(std::int32_t number, Partition& partition, slice::Outbox& outbox) {
  window::FoldOutput output;
  for (std::string& link : std::exchange(partition.state.leftover, {})) output.changed[std::move(link)] = {};
  Emit(number, partition, output, outbox);
}

void FeaturesTask::Refold(const bus::InRecord& record, Partition& partition) {
  ++counters_.refolded;
  if (const auto batch = wire::DecodePacketBatch(record.value)) {
    partition.fold.Take(*batch, record.offset);
    partition.heard[batch->source] = clock_.Steady();
  }
  if (record.offset + 1 >= partition.state.next_offset) GoLive(partition);
}

/// True while there is more.
bool FeaturesTask::CloseSome(std::int32_t number, Partition& partition, slice::Outbox& outbox) {
  window::FoldOutput output;
  const bool more = partition.fold.Close(output);
  Emit(number, partition, output, outbox);
  return more;
}

void FeaturesTask::GoLive(Partition& partition) {
  PartitionState& state = partition.state;
  partition.fold.EndRefold(std::exchange(state.links, {}), std::exchange(state.windows, {}));
  state.before.clear();
  state.now.clear();
  partition.live = true;
  partition.before_live = partition.fold.counters();
  partition.waiting_then = partition.fold.open_packets();
}

void FeaturesTask::Refuse(const bus::InRecord& record, wire::WireError error) {
  switch (error) {
    case wire::WireError::kNotOurs:
      ++counters_.refused_not_ours;
      break;
    case wire::WireError::kUnknownVersion:
      ++counters_.refused_version;
      break;
    case wire::WireError::kInconsistent:
      ++counters_.refused_inconsistent;
      break;
  }
  slice::LogSkipped(log_, record, std::string(ToString(error)), counters_.refused());
}

void FeaturesTask::Trace(const bus::InRecord& record, const packet::PacketBatch& batch) const {
  const std::string name = trace::BatchName(batch.source, batch.epoch, record.from.partition, batch.sequence);
  log_(base::LogLevel::kDebug,
       "batch " + name + " at offset " + std::to_string(record.offset) + ": " + base::Grouped(batch.size()) +
           " packets of " + WindowsOf(batch, options_.fold.window_length, window::HopOf(options_.fold)));
}

void FeaturesTask::Trace(const feature::Window& window) const {
  log_(base::LogLevel::kDebug, "window " + trace::IdOf(window.link, window.start, window.length) + ": " +
                                   window.link + " " + base::FormatTime(window.start) + ", " +
                                   base::Grouped(window.packets) + " packets" +
                                   (window.partial ? ", partial" : ""));
}

void FeaturesTask::Emit(std::int32_t number, Partition& of, const window::FoldOutput& output,
                        slice::Outbox& outbox) {
  if (output.closed.empty() && output.sequences.empty() && output.changed.empty()) return;
  of.moved = true;
  for (const window::ClosedWindow& closed : output.closed) {
    const std::string& link = closed.window.link;
    if (options_.trace) Trace(closed.window);
    outbox.push_back(
        {.to = {names_.windows, number}, .key = link, .value = wire::Encode(closed.window, schema_text_)});
    if (options_.json_mirror) {
      outbox.push_back({.to = {names_.windows_json, number},
                        .key = link,
                        .value = wire::EncodeJson(closed.window, features_)});
      ++counters_.json_records;
    }
    if (closed.sequence) Emit(number, *closed.sequence, outbox);
  }
  for (const feature::Sequence& sequence : output.sequences) Emit(number, sequence, outbox);
  for (const auto& [link, snapshot] : output.changed) {
    outbox.push_back({.to = {names_.state, number},
                      .key = state::LinkKey(kFeaturesState, link),
                      .value = snapshot ? wire::Encode(*snapshot) : "",
                      .tombstone = !snapshot});
    ++counters_.state_records;
  }
}

void FeaturesTask::Emit(std::int32_t number, const feature::Sequence& sequence, slice::Outbox& outbox) {
  if (options_.trace) {
    log_(base::LogLevel::kDebug, "sequence " +
                                     trace::IdOfEnd(sequence.link, sequence.end, sequence.window_length) +
                                     ": " + sequence.link + " until " + base::FormatTime(sequence.end));
  }
  outbox.push_back({.to = {names_.sequences, number},
                    .key = sequence.link,
                    .value = wire::Encode(sequence, schema_text_)});
}

void FeaturesTask::OnIdle(slice::Outbox& outbox) {
  for (auto& [at, partition] : partitions_) {
    if (partition.live) CloseSome(at.partition, partition, outbox);
  }
  if (clock_.Steady() < next_check_) return;
  next_check_ = clock_.Steady() + kVanishedEvery;
  for (auto& [at, partition] : partitions_) {
    if (partition.live) ForgetVanished(at.partition, partition, outbox);
  }
}

void FeaturesTask::ForgetVanished(std::int32_t number, Partition& partition, slice::Outbox& outbox) {
  const base::Duration now = clock_.Steady();
  window::FoldOutput output;
  const std::vector<std::string> running = partition.fold.RunningSources();
  std::erase_if(partition.heard, [&running](const auto& entry) {
    return !std::binary_search(running.begin(), running.end(), entry.first);
  });
  for (const std::string& source : running) {
    const auto heard = partition.heard.find(source);
    const base::Duration since = heard == partition.heard.end() ? partition.begun : heard->second;
    if (now - since > options_.source_expiry) partition.fold.Vanish(source, output);
  }
  Emit(number, partition, output, outbox);
}

bool FeaturesTask::HasSpareWork() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& entry) { return entry.second.fold.owed() > 0; });
}

void FeaturesTask::OnSpare(slice::Outbox& outbox) {
  const auto found = std::find_if(partitions_.begin(), partitions_.end(),
                                  [](const auto& entry) { return entry.second.fold.owed() > 0; });
  if (found == partitions_.end()) return;
  window::FoldOutput output;
  found->second.fold.MakeSequences(options_.spare_windows, output);
  found->second.moved = true;
  Emit(found->first.partition, found->second, output, outbox);
}

void FeaturesTask::OnCommit(slice::Outbox& outbox) {
  for (auto& [at, partition] : partitions_) {
    if (!partition.live || !std::exchange(partition.moved, false)) continue;
    outbox.push_back({.to = {names_.state, at.partition},
                      .key = state::ProgressKey(kFeaturesState),
                      .value = wire::Encode(ProgressOf(partition, PositionOf(partition)))});
    ++counters_.state_records;
  }
}

std::vector<bus::Position> FeaturesTask::Positions() const {
  std::vector<bus::Position> positions;
  for (const auto& [at, partition] : partitions_) {
    // Of one that has had no record yet there is no state that a restart could find.
    if (!partition.live || partition.state.next_offset == 0) continue;
    positions.push_back(
        {at, PositionOf(partition),
         wire::Encode(wire::CommitNote{partition.state.next_offset, partition.state.produced_at})});
  }
  return positions;
}

/// The oldest record that a restart must read again.
std::int64_t FeaturesTask::PositionOf(const Partition& partition) {
  const std::int64_t next = partition.state.next_offset;
  return std::min(partition.fold.OldestNeededOffset().value_or(next), next);
}

wire::FeaturesProgress FeaturesTask::ProgressOf(const Partition& partition, std::int64_t from) const {
  const window::PartitionFold& fold = partition.fold;
  return {.next_offset = partition.state.next_offset,
          .before = fold.ProgressBefore(from),
          .now = fold.ProgressNow(),
          .windows_from = static_cast<std::int64_t>(fold.OldestNeededWindow()),
          .windows_to = static_cast<std::int64_t>(fold.next_window()),
          .owed = fold.owed(),
          .last = fold.last_window()};
}

window::FoldCounters FeaturesTask::fold_counters() const {
  window::FoldCounters sum = past_;
  for (const auto& [at, partition] : partitions_) {
    if (!partition.live) continue;
    sum += partition.fold.counters();
    sum -= partition.before_live;
  }
  return sum;
}

std::uint64_t FeaturesTask::waiting_packets() const {
  std::uint64_t waiting = 0;
  for (const auto& [at, partition] : partitions_) {
    if (!partition.live) continue;
    window::FoldCounters since = partition.fold.counters();
    since -= partition.before_live;
    waiting += partition.waiting_then + since.packets_in - since.packets_in_windows - since.late_packets -
               since.ahead_packets - since.repeated_packets;
  }
  return waiting;
}

std::size_t FeaturesTask::link_count() const {
  std::size_t count = 0;
  for (const auto& [at, partition] : partitions_) count += partition.fold.link_count();
  return count;
}

base::EventTime FeaturesTask::Watermark() const {
  base::EventTime oldest = base::kEndOfTime;
  for (const auto& [at, partition] : partitions_) oldest = std::min(oldest, partition.fold.Watermark());
  return oldest;
}

}  // namespace flowcast::services
