// Batches, their sequence numbers and the watermark.
#include "libs/capture/batcher.h"

#include <algorithm>
#include <utility>

#include "libs/base/hash.h"

namespace flowcast::capture {

void Batcher::Add(const packet::Packet& packet, const std::vector<std::string>& interfaces,
                  std::vector<AddressedBatch>& ready) {
  if (!started_) BeginSource(packet);
  out_of_order_ += packet.time < newest_ ? 1 : 0;
  newest_ = std::max(newest_, packet.time);
  watermark_ = std::max(watermark_, newest_ - options_.reorder_tolerance);
  Link& link = LinkOf(packet, interfaces);
  Partition& partition = *link.partition;
  packet::PacketBatch& batch = partition.open;
  if (link.batch != partition.next_sequence) {
    link.batch = partition.next_sequence;
    link.index = static_cast<std::uint32_t>(batch.links.size());
    batch.links.push_back(link.name);
  }
  batch.times.push_back(packet.time);
  batch.flow_indexes.push_back(partition.flows.FindOrAdd(link.index, packet.flow, batch.flows));
  batch.wire_lengths_bytes.push_back(packet.wire_length_bytes);
  batch.tcp_flags.push_back(packet.tcp_flags);
  batch.traffic_classes.push_back(packet.traffic_class);
  batch.ttls.push_back(packet.ttl);
  ++taken_;
  if (batch.size() >= options_.batch_packets) Close(link.partition_number, partition, false, ready);
}

void Batcher::BeginSource(const packet::Packet& first) {
  started_ = true;
  first_ = newest_ = first.time;
  watermark_ = first.time - options_.reorder_tolerance;
  if (options_.epoch == 0) {
    options_.epoch =
        static_cast<std::uint64_t>(std::max<std::int64_t>(1, base::ToUnixNanoseconds(first.time)));
  }
}

Batcher::Link& Batcher::LinkOf(const packet::Packet& packet, const std::vector<std::string>& interfaces) {
  while (links_.size() < interfaces.size()) {
    const std::string name = options_.source + "/" + interfaces[links_.size()];
    const std::int32_t number = base::PartitionOf(name, options_.partitions);
    links_.push_back({.name = name, .partition_number = number});
  }
  Link& link = links_[packet.interface];
  if (link.partition == nullptr) link.partition = &partitions_[link.partition_number];
  return link;
}

void Batcher::Tick(base::EventTime lower_bound, std::vector<AddressedBatch>& ready) {
  if (!started_) return;
  if (lower_bound != base::kBeginningOfTime)
    watermark_ = std::max(watermark_, lower_bound - options_.reorder_tolerance);
  CloseAll(false, ready);
}

void Batcher::Finish(std::vector<AddressedBatch>& ready) {
  if (!started_) return;
  watermark_ = std::max(watermark_, newest_);
  CloseAll(true, ready);
}

std::uint64_t Batcher::waiting() const {
  std::uint64_t count = 0;
  for (const auto& [number, partition] : partitions_) count += partition.open.size();
  return count;
}

void Batcher::CloseAll(bool final, std::vector<AddressedBatch>& ready) {
  for (auto& [number, partition] : partitions_) {
    const bool has_news = final || partition.open.size() > 0 || watermark_ > partition.last_watermark;
    if (has_news) Close(number, partition, final, ready);
  }
}

void Batcher::Close(std::int32_t number, Partition& partition, bool final,
                    std::vector<AddressedBatch>& ready) {
  packet::PacketBatch batch = std::exchange(partition.open, {});
  partition.flows.Clear();
  batch.source = options_.source;
  batch.epoch = options_.epoch;
  batch.sequence = partition.next_sequence++;
  batch.started = first_;
  batch.watermark = watermark_;
  batch.final = final;
  batch.counters = counters_;
  batch.counters.published = taken_;
  partition.last_watermark = watermark_;
  ready.push_back({number, std::move(batch)});
}

}  // namespace flowcast::capture
