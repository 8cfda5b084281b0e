// PacketBatch to and from protobuf.
#include "libs/wire/packet_wire.h"

#include <algorithm>

#include "flowcast/v1/packets.pb.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

constexpr std::uint32_t kVersion = 1;

std::size_t AddressLength(std::uint8_t version) { return version == 4 ? 4 : version == 6 ? 16 : 0; }

std::string_view AsBytes(const std::vector<std::uint8_t>& column) {
  return {reinterpret_cast<const char*>(column.data()), column.size()};
}

std::vector<std::uint8_t> AsColumn(const std::string& bytes) { return {bytes.begin(), bytes.end()}; }

void AppendAddress(const base::IpAddress& address, std::string& out) {
  out.append(reinterpret_cast<const char*>(address.bytes.data()), AddressLength(address.version));
}

void EncodeFlows(const packet::PacketBatch& batch, v1::FlowTable& table) {
  for (const packet::BatchFlow& flow : batch.flows) {
    table.add_link_indexes(flow.link);
    table.mutable_ip_versions()->push_back(static_cast<char>(flow.key.source.version));
    AppendAddress(flow.key.source, *table.mutable_addresses());
    AppendAddress(flow.key.destination, *table.mutable_addresses());
    table.add_source_ports(flow.key.source_port);
    table.add_destination_ports(flow.key.destination_port);
    table.add_ether_types(flow.key.ether_type);
    table.mutable_protocols()->push_back(static_cast<char>(flow.key.protocol));
  }
}

void EncodeColumns(const packet::PacketBatch& batch, v1::PacketBatch& message) {
  message.mutable_time_deltas_ns()->Reserve(static_cast<int>(batch.size()));
  base::EventTime before = batch.watermark;
  for (const base::EventTime time : batch.times) {
    message.add_time_deltas_ns((time - before).count());
    before = time;
  }
  message.mutable_flow_indexes()->Add(batch.flow_indexes.begin(), batch.flow_indexes.end());
  message.mutable_wire_lengths_bytes()->Add(batch.wire_lengths_bytes.begin(), batch.wire_lengths_bytes.end());
  message.set_tcp_flags(std::string(AsBytes(batch.tcp_flags)));
  message.set_traffic_classes(std::string(AsBytes(batch.traffic_classes)));
  message.set_ttls(std::string(AsBytes(batch.ttls)));
}

/// Takes `length` bytes from the front of `rest`; false when there are fewer.
bool TakeAddress(std::uint8_t version, std::string_view& rest, base::IpAddress& address) {
  const std::size_t length = AddressLength(version);
  if (rest.size() < length) return false;
  std::copy_n(rest.begin(), length, address.bytes.begin());
  address.version = version;
  rest.remove_prefix(length);
  return true;
}

bool DecodeFlows(const v1::FlowTable& table, packet::PacketBatch& batch) {
  const int count = table.link_indexes_size();
  const auto size = static_cast<std::size_t>(count);
  if (table.ip_versions().size() != size || table.protocols().size() != size ||
      table.source_ports_size() != count || table.destination_ports_size() != count ||
      table.ether_types_size() != count) {
    return false;
  }
  std::string_view addresses = table.addresses();
  batch.flows.resize(size);
  for (int i = 0; i < count; ++i) {
    packet::BatchFlow& flow = batch.flows[static_cast<std::size_t>(i)];
    const auto version = static_cast<std::uint8_t>(table.ip_versions()[static_cast<std::size_t>(i)]);
    flow.link = table.link_indexes(i);
    if (flow.link >= batch.links.size() || (version != 0 && version != 4 && version != 6)) return false;
    if (!TakeAddress(version, addresses, flow.key.source)) return false;
    if (!TakeAddress(version, addresses, flow.key.destination)) return false;
    flow.key.source_port = static_cast<std::uint16_t>(table.source_ports(i));
    flow.key.destination_port = static_cast<std::uint16_t>(table.destination_ports(i));
    flow.key.ether_type = static_cast<std::uint16_t>(table.ether_types(i));
    flow.key.protocol = static_cast<std::uint8_t>(table.protocols()[static_cast<std::size_t>(i)]);
  }
  return addresses.empty();
}

bool DecodeTimes(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  batch.times.reserve(static_cast<std::size_t>(message.time_deltas_ns_size()));
  std::int64_t time = message.watermark_ns();
  for (const std::int64_t delta : message.time_deltas_ns()) {
    if (__builtin_add_overflow(time, delta, &time) || !IsSaneTime(time)) return false;
    batch.times.push_back(base::FromUnixNanoseconds(time));
  }
  return true;
}

bool DecodeColumns(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  const auto size = static_cast<std::size_t>(message.time_deltas_ns_size());
  if (static_cast<std::size_t>(message.flow_indexes_size()) != size ||
      static_cast<std::size_t>(message.wire_lengths_bytes_size()) != size ||
      message.tcp_flags().size() != size || message.traffic_classes().size() != size ||
      message.ttls().size() != size) {
    return false;
  }
  batch.flow_indexes.assign(message.flow_indexes().begin(), message.flow_indexes().end());
  batch.wire_lengths_bytes.assign(message.wire_lengths_bytes().begin(), message.wire_lengths_bytes().end());
  batch.tcp_flags = AsColumn(message.tcp_flags());
  batch.traffic_classes = AsColumn(message.traffic_classes());
  batch.ttls = AsColumn(message.ttls());
  const auto within = [&batch](std::uint32_t index) { return index < batch.flows.size(); };
  return std::all_of(batch.flow_indexes.begin(), batch.flow_indexes.end(), within) &&
         DecodeTimes(message, batch);
}

}  // namespace

std::string Encode(const packet::PacketBatch& batch) {
  v1::PacketBatch message;
  message.set_version(kVersion);
  message.set_source(batch.source);
  message.set_epoch(batch.epoch);
  message.set_sequence(batch.sequence);
  message.set_started_ns(base::ToUnixNanoseconds(batch.started));
  message.set_watermark_ns(base::ToUnixNanoseconds(batch.watermark));
  message.set_final(batch.final);
  message.mutable_counters()->set_received(batch.counters.received);
  message.mutable_counters()->set_published(batch.counters.published);
  message.mutable_counters()->set_filtered(batch.counters.filtered);
  message.mutable_counters()->set_dropped(batch.counters.dropped);
  message.mutable_counters()->set_undecodable(batch.counters.undecodable);
  message.mutable_links()->Assign(batch.links.begin(), batch.links.end());
  EncodeFlows(batch, *message.mutable_flows());
  EncodeColumns(batch, message);
  return message.SerializeAsString();
}

tl::expected<packet::PacketBatch, WireError> DecodePacketBatch(std::string_view bytes) {
  const auto parsed = Parse<v1::PacketBatch>(bytes);
  if (!parsed) return tl::unexpected(parsed.error());
  const v1::PacketBatch& message = *parsed;
  packet::PacketBatch batch;
  batch.source = message.source();
  batch.epoch = message.epoch();
  batch.sequence = message.sequence();
  batch.started = base::FromUnixNanoseconds(message.started_ns());
  batch.watermark = base::FromUnixNanoseconds(message.watermark_ns());
  batch.final = message.final();
  const v1::SourceCounters& counters = message.counters();
  batch.counters = {counters.received(), counters.published(), counters.filtered(), counters.dropped(),
                    counters.undecodable()};
  batch.links.assign(message.links().begin(), message.links().end());
  const bool sane = IsSaneTime(message.watermark_ns()) && IsSaneTime(message.started_ns()) && batch.epoch > 0;
  if (!sane || !DecodeFlows(message.flows(), batch) || !DecodeColumns(message, batch)) {
    return tl::unexpected(WireError::kInconsistent);
  }
  return batch;
}

}  // namespace flowcast::wire
