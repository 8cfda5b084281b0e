// PacketBatch to and from protobuf.
#include "libs/wire/packet_wire.h"

#include <algorithm>
#include <utility>

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

/// The coarsest unit that loses nothing of the times: captures in microseconds need a byte a packet less.
std::int64_t TimeUnit(const std::vector<base::EventTime>& times) {
  for (const std::int64_t unit : {1'000'000, 1'000}) {
    const auto whole = [unit](base::EventTime time) { return base::ToUnixNanoseconds(time) % unit == 0; };
    if (std::all_of(times.begin(), times.end(), whole)) return unit;
  }
  return 1;
}

/// Index of each flow's first packet; batch.size() for a flow without any.
std::vector<std::size_t> FirstPackets(const packet::PacketBatch& batch) {
  std::vector<std::size_t> firsts(batch.flows.size(), batch.size());
  for (std::size_t i = batch.size(); i > 0; --i) firsts[batch.flow_indexes[i - 1]] = i - 1;
  return firsts;
}

constexpr base::Duration kUnit = packet::kStartResolution;

base::EventTime StartAt(base::EventTime first_packet) { return base::AlignDown(first_packet, kUnit); }

/// When each flow began, and the packets that were sent before.
void EncodeMarks(const packet::PacketBatch& batch, v1::PacketBatch& message) {
  const std::vector<std::size_t> firsts = FirstPackets(batch);
  auto& ages = *message.mutable_flows()->mutable_ages();
  ages.Reserve(static_cast<int>(batch.flows.size()));
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    const bool empty = firsts[i] == batch.size();
    const bool begins = !empty && (batch.marks[firsts[i]] & packet::kBegins) != 0;
    const std::int64_t age = empty ? 0 : (StartAt(batch.times[firsts[i]]) - batch.flows[i].started) / kUnit;
    ages.AddAlreadyReserved(begins || empty ? 0 : age < 0 ? age : age + 1);
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if ((batch.marks[i] & packet::kRepeats) == 0) continue;
    message.add_repeat_gaps(static_cast<std::uint32_t>(i - next));
    next = i + 1;
  }
}

void EncodeTimes(const packet::PacketBatch& batch, v1::PacketBatch& message) {
  if (batch.times.empty()) return;
  const std::int64_t unit = TimeUnit(batch.times);
  message.set_time_unit_ns(static_cast<std::uint32_t>(unit));
  message.set_first_time_ns(base::ToUnixNanoseconds(batch.times.front()));
  auto& deltas = *message.mutable_time_deltas();
  deltas.Reserve(static_cast<int>(batch.size()));
  base::EventTime before = batch.times.front();
  for (const base::EventTime time : batch.times) {
    const std::int64_t delta = (time - before).count();
    deltas.AddAlreadyReserved(unit == 1 ? delta : delta / unit);
    before = time;
  }
}

/// A column as its difference, modulo 256, to the value that its flow has in its first packet: these
/// fields are almost constant in a flow, so that nearly nothing is left to compress.
struct FlowRelative {
  std::string flows;
  std::string packets;

  FlowRelative(const packet::PacketBatch& batch, const std::vector<std::uint8_t>& column)
      : flows(batch.flows.size(), '\0'), packets(batch.size(), '\0') {
    std::vector<bool> seen(batch.flows.size());
    for (std::size_t i = 0; i < column.size(); ++i) {
      const std::uint32_t flow = batch.flow_indexes[i];
      if (!seen[flow]) {
        seen[flow] = true;
        flows[flow] = static_cast<char>(column[i]);
      }
      packets[i] = static_cast<char>(column[i] - static_cast<std::uint8_t>(flows[flow]));
    }
  }
};

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
    table.mutable_directions()->push_back(static_cast<char>(flow.direction));
    table.mutable_casts()->push_back(static_cast<char>(flow.cast));
  }
}

void EncodeColumns(const packet::PacketBatch& batch, v1::PacketBatch& message) {
  EncodeTimes(batch, message);
  EncodeMarks(batch, message);
  message.mutable_flow_indexes()->Add(batch.flow_indexes.begin(), batch.flow_indexes.end());
  message.mutable_wire_lengths_bytes()->Add(batch.wire_lengths_bytes.begin(), batch.wire_lengths_bytes.end());
  message.set_tcp_flags(std::string(AsBytes(batch.tcp_flags)));
  FlowRelative traffic_classes(batch, batch.traffic_classes);
  FlowRelative ttls(batch, batch.ttls);
  message.mutable_flows()->set_traffic_classes(std::move(traffic_classes.flows));
  message.mutable_flows()->set_ttls(std::move(ttls.flows));
  message.set_traffic_classes(std::move(traffic_classes.packets));
  message.set_ttls(std::move(ttls.packets));
  for (const packet::Straggler& straggler : batch.stragglers) {
    message.add_straggler_indexes(straggler.packet);
    message.add_straggler_watermarks_ns(base::ToUnixNanoseconds(straggler.watermark));
  }
}

void EncodeCounters(const packet::SourceCounters& counters, v1::SourceCounters& message) {
  message.set_received(counters.received);
  message.set_published(counters.published);
  message.set_filtered(counters.filtered);
  message.set_dropped_by_kernel(counters.dropped_by_kernel);
  message.set_dropped_by_interface(counters.dropped_by_interface);
  message.set_dropped_by_queue(counters.dropped_by_queue);
  message.set_dropped_by_spool(counters.dropped_by_spool);
  message.set_undecodable(counters.undecodable);
}

packet::SourceCounters DecodeCounters(const v1::SourceCounters& message) {
  return {.received = message.received(),
          .published = message.published(),
          .filtered = message.filtered(),
          .dropped_by_kernel = message.dropped_by_kernel(),
          .dropped_by_interface = message.dropped_by_interface(),
          .dropped_by_queue = message.dropped_by_queue(),
          .dropped_by_spool = message.dropped_by_spool(),
          .undecodable = message.undecodable()};
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

/// Columns that the first writers of this version did not have.
bool IsAbsentOr(std::size_t size, std::size_t column) { return column == 0 || column == size; }

bool HasEqualColumns(const v1::FlowTable& table) {
  const int count = table.link_indexes_size();
  const auto size = static_cast<std::size_t>(count);
  return table.ip_versions().size() == size && table.protocols().size() == size &&
         table.directions().size() == size && table.traffic_classes().size() == size &&
         table.ttls().size() == size && IsAbsentOr(size, table.casts().size()) &&
         IsAbsentOr(size, static_cast<std::size_t>(table.ages_size())) &&
         table.source_ports_size() == count && table.destination_ports_size() == count &&
         table.ether_types_size() == count;
}

bool DecodeFlows(const v1::FlowTable& table, packet::PacketBatch& batch) {
  if (!HasEqualColumns(table)) return false;
  std::string_view addresses = table.addresses();
  batch.flows.resize(static_cast<std::size_t>(table.link_indexes_size()));
  for (std::size_t at = 0; at < batch.flows.size(); ++at) {
    const int i = static_cast<int>(at);
    packet::BatchFlow& flow = batch.flows[at];
    const auto version = static_cast<std::uint8_t>(table.ip_versions()[at]);
    const auto direction = static_cast<std::uint8_t>(table.directions()[at]);
    const auto cast = table.casts().empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(table.casts()[at]);
    flow.link = table.link_indexes(i);
    if (flow.link >= batch.links.size() || (version != 0 && version != 4 && version != 6) ||
        direction >= packet::kDirections || cast >= packet::kCasts) {
      return false;
    }
    if (!TakeAddress(version, addresses, flow.key.source)) return false;
    if (!TakeAddress(version, addresses, flow.key.destination)) return false;
    flow.key.source_port = static_cast<std::uint16_t>(table.source_ports(i));
    flow.key.destination_port = static_cast<std::uint16_t>(table.destination_ports(i));
    flow.key.ether_type = static_cast<std::uint16_t>(table.ether_types(i));
    flow.key.protocol = static_cast<std::uint8_t>(table.protocols()[at]);
    flow.direction = static_cast<packet::Direction>(direction);
    flow.cast = static_cast<packet::Cast>(cast);
  }
  return addresses.empty();
}

bool DecodeTimes(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  batch.times.reserve(static_cast<std::size_t>(message.time_deltas_size()));
  const std::int64_t unit = message.time_unit_ns();
  std::int64_t time = message.first_time_ns();
  for (std::int64_t delta : message.time_deltas()) {
    if (__builtin_mul_overflow(delta, unit, &delta) || __builtin_add_overflow(time, delta, &time) ||
        !IsSaneTime(time)) {
      return false;
    }
    batch.times.push_back(base::FromUnixNanoseconds(time));
  }
  return true;
}

/// The reverse of EncodeMarks, behind the times.
bool DecodeMarks(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  batch.marks.resize(batch.size());
  const std::vector<std::size_t> firsts = FirstPackets(batch);
  const auto& ages = message.flows().ages();
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    if (firsts[i] == batch.size()) continue;
    const std::int64_t age = ages.empty() ? 1 : ages[static_cast<int>(i)];
    if (age == 0) batch.marks[firsts[i]] |= packet::kBegins;
    std::int64_t started = base::ToUnixNanoseconds(StartAt(batch.times[firsts[i]]));
    std::int64_t before = age > 0 ? age - 1 : age;
    if (__builtin_mul_overflow(before, kUnit.count(), &before) ||
        __builtin_sub_overflow(started, before, &started) || !IsSaneTime(started)) {
      return false;
    }
    batch.flows[i].started = base::FromUnixNanoseconds(started);
  }
  std::size_t next = 0;
  for (const std::uint32_t gap : message.repeat_gaps()) {
    if (gap >= batch.size() - next) return false;
    next += gap;
    batch.marks[next++] |= packet::kRepeats;
  }
  return true;
}

bool DecodeStragglers(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  if (message.straggler_indexes_size() != message.straggler_watermarks_ns_size()) return false;
  for (int i = 0; i < message.straggler_indexes_size(); ++i) {
    const std::uint32_t index = message.straggler_indexes(i);
    const bool ascends = batch.stragglers.empty() || index > batch.stragglers.back().packet;
    if (index >= batch.size() || !ascends || !IsSaneTime(message.straggler_watermarks_ns(i))) return false;
    batch.stragglers.push_back({index, base::FromUnixNanoseconds(message.straggler_watermarks_ns(i))});
  }
  return true;
}

/// The reverse of FlowRelative. The flow indexes were checked.
std::vector<std::uint8_t> FromFlowRelative(const packet::PacketBatch& batch, const std::string& flows,
                                           const std::string& packets) {
  std::vector<std::uint8_t> column(packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    column[i] = static_cast<std::uint8_t>(packets[i] + flows[batch.flow_indexes[i]]);
  }
  return column;
}

bool DecodeColumns(const v1::PacketBatch& message, packet::PacketBatch& batch) {
  const auto size = static_cast<std::size_t>(message.time_deltas_size());
  if (static_cast<std::size_t>(message.flow_indexes_size()) != size ||
      static_cast<std::size_t>(message.wire_lengths_bytes_size()) != size ||
      message.tcp_flags().size() != size || message.traffic_classes().size() != size ||
      message.ttls().size() != size) {
    return false;
  }
  batch.flow_indexes.assign(message.flow_indexes().begin(), message.flow_indexes().end());
  const auto within = [&batch](std::uint32_t index) { return index < batch.flows.size(); };
  if (!std::all_of(batch.flow_indexes.begin(), batch.flow_indexes.end(), within)) return false;
  batch.wire_lengths_bytes.assign(message.wire_lengths_bytes().begin(), message.wire_lengths_bytes().end());
  batch.tcp_flags = AsColumn(message.tcp_flags());
  const v1::FlowTable& flows = message.flows();
  batch.traffic_classes = FromFlowRelative(batch, flows.traffic_classes(), message.traffic_classes());
  batch.ttls = FromFlowRelative(batch, flows.ttls(), message.ttls());
  return DecodeTimes(message, batch) && DecodeMarks(message, batch) && DecodeStragglers(message, batch);
}

}  // namespace

std::string Encode(const packet::PacketBatch& batch) {
  auto& message = EmptyMessage<v1::PacketBatch>();
  message.set_version(kVersion);
  message.set_source(batch.source);
  message.set_epoch(batch.epoch);
  message.set_sequence(batch.sequence);
  message.set_started_ns(base::ToUnixNanoseconds(batch.started));
  message.set_watermark_ns(base::ToUnixNanoseconds(batch.watermark));
  message.set_final(batch.final);
  message.set_content(batch.content);
  EncodeCounters(batch.counters, *message.mutable_counters());
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
  batch.content = message.content();
  batch.counters = DecodeCounters(message.counters());
  batch.links.assign(message.links().begin(), message.links().end());
  // Packets are counted on from the sequence number, which must not run over.
  const bool sane = IsSaneTime(message.watermark_ns()) && IsSaneTime(message.started_ns()) &&
                    batch.epoch > 0 && batch.sequence < (std::uint64_t{1} << 62);
  if (!sane || !DecodeFlows(message.flows(), batch) || !DecodeColumns(message, batch)) {
    return tl::unexpected(WireError::kInconsistent);
  }
  return batch;
}

}  // namespace flowcast::wire
