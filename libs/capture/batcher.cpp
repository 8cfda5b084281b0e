// Batches, their sequence numbers and the watermark.
#include "libs/capture/batcher.h"

#include <algorithm>
#include <utility>

#include "libs/base/hash.h"

namespace flowcast::capture {
namespace {

// What one costs in a batch, about.
constexpr std::size_t kPacketBytes = 12;
constexpr std::size_t kFlowBytes = 64;
constexpr std::size_t kAtOnce = 32;  // flows asked for at the same time

/// The same wherever it is computed.
std::uint64_t Fingerprint(std::uint64_t settings, const packet::Packet& first) {
  const packet::FlowKey& flow = first.flow;
  const std::string text = base::Hex(settings) + ' ' + std::to_string(base::ToUnixNanoseconds(first.time)) +
                           ' ' + std::to_string(first.wire_length_bytes) + ' ' +
                           base::FormatIpAddress(flow.source) + ' ' +
                           base::FormatIpAddress(flow.destination) + ' ' + std::to_string(flow.source_port) +
                           ' ' + std::to_string(flow.destination_port);
  return base::Fnv1a64(text);
}

void ReserveLike(const packet::PacketBatch& before, packet::PacketBatch& batch) {
  batch.times.reserve(before.size());
  batch.flow_indexes.reserve(before.size());
  batch.wire_lengths_bytes.reserve(before.size());
  batch.tcp_flags.reserve(before.size());
  batch.traffic_classes.reserve(before.size());
  batch.ttls.reserve(before.size());
  batch.marks.reserve(before.size());
  batch.flows.reserve(before.flows.size());
}

}  // namespace

Batcher::Batcher(const BatcherOptions& options)
    : options_(options), namer_(options.source, options.links, options.anonymize) {}

void Batcher::Add(std::span<const packet::Packet> packets, const std::vector<std::string>& interfaces,
                  std::vector<AddressedBatch>& ready) {
  if (!started_ && !packets.empty()) BeginSource(packets.front());
  std::array<std::uint64_t, kAtOnce> hashes{};
  for (; !packets.empty(); packets = packets.subspan(std::min(kAtOnce, packets.size()))) {
    const std::size_t count = std::min(kAtOnce, packets.size());
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = FlowTable::HashOf(packets[i]);
      flows_.FetchSlot(hashes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) flows_.FetchFlow(hashes[i]);
    for (std::size_t i = 0; i < count; ++i) AddOne(packets[i], hashes[i], interfaces, ready);
  }
}

void Batcher::AddOne(const packet::Packet& packet, std::uint64_t flow_hash,
                     const std::vector<std::string>& interfaces, std::vector<AddressedBatch>& ready) {
  if (astray_) TakeAstray(IsFarAhead(packet), ready);
  if (IsFarAhead(packet)) {
    astray_ = {packet, interfaces};
    return;
  }
  SeeTime(packet.time);
  Take(packet, flow_hash, interfaces, ready);
}

void Batcher::SeeTime(base::EventTime time) {
  newest_ = std::max(newest_, time);
  watermark_ = std::max(watermark_, newest_ - options_.reorder_tolerance);
}

void Batcher::TakeAstray(bool tells_time, std::vector<AddressedBatch>& ready) {
  const Astray astray = *std::exchange(astray_, std::nullopt);
  if (tells_time) SeeTime(astray.packet.time);
  Take(astray.packet, FlowTable::HashOf(astray.packet), astray.interfaces, ready);
}

void Batcher::Take(const packet::Packet& packet, std::uint64_t flow_hash,
                   const std::vector<std::string>& interfaces, std::vector<AddressedBatch>& ready) {
  bool added = false;
  KnownFlow& flow = flows_.Find(packet, flow_hash, added);
  if (added) Learn(packet, interfaces, flow);
  const std::uint8_t marks = flow.Follow(packet, added);
  Link& link = links_[flow.link];
  Partition& partition = *link.partition;
  if (flow.batch != partition.batch) Enter(link, flow);
  packet::PacketBatch& batch = partition.open;
  if (packet.time < watermark_) {
    ++stragglers_;
    batch.stragglers.push_back({static_cast<std::uint32_t>(batch.size()), watermark_});
  }
  out_of_order_ += packet.time < newest_ ? 1 : 0;
  batch.times.push_back(packet.time);
  batch.flow_indexes.push_back(flow.index);
  batch.wire_lengths_bytes.push_back(packet.wire_length_bytes);
  batch.tcp_flags.push_back(packet.tcp_flags);
  batch.traffic_classes.push_back(packet.traffic_class);
  batch.ttls.push_back(packet.ttl);
  batch.marks.push_back(marks);
  ++taken_;
  ++by_kind_[static_cast<std::size_t>(flow.kind)];
  partition.open_bytes += kPacketBytes;
  if (batch.size() >= options_.batch_packets || partition.open_bytes >= options_.batch_bytes)
    Close(link.partition_number, partition, false, ready);
}

void Batcher::BeginSource(const packet::Packet& first) {
  started_ = true;
  first_ = newest_ = first.time;
  watermark_ = first.time - options_.reorder_tolerance;
  content_ = Fingerprint(options_.settings, first);
  if (options_.epoch == 0) {
    options_.epoch =
        static_cast<std::uint64_t>(std::max<std::int64_t>(1, base::ToUnixNanoseconds(first.time)));
  }
}

void Batcher::Learn(const packet::Packet& packet, const std::vector<std::string>& interfaces,
                    KnownFlow& flow) {
  flow.link = namer_.LinkOf(packet, interfaces);
  flow.kind = packet::KindOf(packet);
  if (!options_.home_net.empty()) flow.direction = packet::DirectionOf(packet.flow, options_.home_net);
  const bool hidden = options_.anonymize && packet.flow.source.version != 0;
  flow.source = hidden ? options_.anonymize(packet.flow.source) : packet.flow.source;
  flow.destination = hidden ? options_.anonymize(packet.flow.destination) : packet.flow.destination;
  for (auto number = static_cast<std::uint32_t>(links_.size()); number < namer_.size(); ++number) {
    const std::int32_t partition = base::PartitionOf(namer_.name(number), options_.partitions);
    links_.push_back({.partition_number = partition, .partition = &partitions_[partition]});
  }
}

void Batcher::Enter(Link& link, KnownFlow& flow) {
  Partition& partition = *link.partition;
  packet::PacketBatch& batch = partition.open;
  if (link.batch != partition.batch) {
    link.batch = partition.batch;
    link.index = static_cast<std::uint32_t>(batch.links.size());
    batch.links.push_back(namer_.name(flow.link));
    partition.open_bytes += batch.links.back().size();
  }
  flow.batch = partition.batch;
  flow.index = static_cast<std::uint32_t>(batch.flows.size());
  batch.flows.push_back(flow.ToSend());
  batch.flows.back().link = link.index;
  partition.open_bytes += kFlowBytes;
}

void Batcher::Tick(base::EventTime lower_bound, std::vector<AddressedBatch>& ready) {
  if (!started_) return;
  if (lower_bound != base::kBeginningOfTime)
    watermark_ = std::max(watermark_, lower_bound - options_.reorder_tolerance);
  CloseAll(false, ready);
}

void Batcher::Flush(std::vector<AddressedBatch>& ready) {
  for (auto& [number, partition] : partitions_) {
    if (partition.open.size() > 0) Close(number, partition, false, ready);
  }
}

void Batcher::Finish(std::vector<AddressedBatch>& ready) {
  if (!started_) return;
  if (astray_) TakeAstray(true, ready);
  watermark_ = std::max(watermark_, newest_);
  CloseAll(true, ready);
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
  ReserveLike(batch, partition.open);
  ++partition.batch;
  partition.open_bytes = 0;
  batch.source = options_.source;
  batch.epoch = options_.epoch;
  batch.content = content_;
  batch.sequence = partition.next_sequence;
  partition.next_sequence += batch.size();
  batch.started = first_;
  batch.watermark = watermark_;
  batch.final = final;
  batch.counters = counters_;
  batch.counters.received -= taken_then_ - std::min(taken_, taken_then_);
  const std::uint64_t dropped = counters_.dropped_by_queue + counters_.dropped_by_spool;
  batch.counters.published = taken_ - std::min(taken_, dropped);  // some may be of the epoch before
  partition.last_watermark = watermark_;
  ready.push_back({number, std::move(batch)});
}

}  // namespace flowcast::capture
