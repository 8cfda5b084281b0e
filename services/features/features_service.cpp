// Decode, fold, encode.
#include "services/features/features_service.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::services {

void FeaturesTask::OnAssigned(const std::vector<bus::Position>& partitions) {
  for (const bus::Position& position : partitions) {
    partitions_.insert_or_assign(position.at, MakePartition(position));
  }
}

FeaturesTask::Partition FeaturesTask::MakePartition(const bus::Position& position) const {
  Partition partition{.fold = window::PartitionFold(options_)};
  partition.progress.next_offset = std::max<std::int64_t>(position.offset, 0);
  partition.live = position.offset == bus::kNoOffset;
  if (partition.live) return partition;
  if (const auto progress = wire::DecodeProgressJson(position.metadata)) {
    partition.progress = *progress;
    partition.fold.Restore(progress->sources);
  } else {
    log_(base::LogLevel::kWarning,
         position.at.topic + " partition " + std::to_string(position.at.partition) +
             ": the committed position carries no progress of ours; windows that were open "
             "may be incomplete");
  }
  return partition;
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

void FeaturesTask::OnRecord(const bus::InRecord& record, slice::Outbox& outbox) {
  Partition& partition = partitions_.at(record.from);
  if (!partition.live && record.offset >= partition.progress.next_offset) GoLive(partition);
  closed_.clear();
  const auto batch = wire::DecodePacketBatch(record.value);
  if (batch) {
    partition.fold.Apply(*batch, record.offset, closed_);
  } else if (partition.live) {
    Refuse(record, batch.error());
  }
  if (!partition.live) {
    ++counters_.refolded;
    return;
  }
  partition.progress.next_offset = record.offset + 1;
  Emit(record, outbox);
}

void FeaturesTask::GoLive(Partition& partition) {
  partition.live = true;
  partition.before_live = partition.fold.counters();
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
  if (!std::has_single_bit(counters_.refused())) return;  // logged at 1, 2, 4, 8, ... of them
  log_(base::LogLevel::kWarning, "skipped a record of " + record.from.topic + " (partition " +
                                     std::to_string(record.from.partition) + ", offset " +
                                     std::to_string(record.offset) + "): " + std::string(ToString(error)) +
                                     "; " + std::to_string(counters_.refused()) + " so far");
}

void FeaturesTask::Emit(const bus::InRecord& record, slice::Outbox& outbox) {
  for (const window::ClosedWindow& closed : closed_) {
    const std::string& link = closed.window.link;
    outbox.push_back(
        {.to = {names_.windows, record.from.partition}, .key = link, .value = wire::Encode(closed.window)});
    if (!closed.sequence) continue;
    outbox.push_back({.to = {names_.sequences, record.from.partition},
                      .key = link,
                      .value = wire::Encode(*closed.sequence)});
  }
}

std::vector<bus::Position> FeaturesTask::Positions() const {
  std::vector<bus::Position> positions;
  for (const auto& [at, partition] : partitions_) {
    if (!partition.live) continue;
    const std::int64_t next = partition.progress.next_offset;
    const std::int64_t from = std::min(partition.fold.OldestNeededOffset().value_or(next), next);
    positions.push_back({at, from, wire::EncodeJson({next, partition.fold.ProgressBefore(from)})});
  }
  return positions;
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
    const window::FoldCounters& fold = partition.fold.counters();
    waiting += fold.packets_in - fold.packets_in_windows - fold.late_packets - fold.repeated_packets;
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
