// What the feature service's work in memory costs as packets, links and features grow.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "libs/window/partition_fold.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace {

using namespace flowcast;
constexpr base::Duration kWindow = std::chrono::seconds(1);
constexpr std::size_t kBatchPackets = 8192;  // as the capture cuts them
constexpr std::size_t kWarmUpWindows = 12;   // from then on each window brings a sequence

struct Load {
  std::size_t links = 1;
  std::size_t packets = 1;  // of a link in a window
  std::size_t flows = 1;    // of a link
  std::string features = "default";
};

packet::FlowKey KeyOf(std::size_t link, std::size_t flow) {
  packet::FlowKey key;
  const auto byte = [](std::size_t number, int shift) { return static_cast<std::uint8_t>(number >> shift); };
  key.source.bytes = {10, byte(link, 16), byte(link, 8), byte(link, 0)};
  key.destination.bytes = {93, 184, byte(flow, 8), byte(flow, 0)};
  key.source.version = key.destination.version = 4;
  key.source_port = static_cast<std::uint16_t>(20'000 + flow);
  key.destination_port = 443;
  key.ether_type = 0x0800;
  key.protocol = static_cast<std::uint8_t>(flow % 4 == 3 ? packet::Protocol::kUdp : packet::Protocol::kTcp);
  return key;
}

/// Encoded batches of evenly spread packets: each link in turn, each of its flows in turn. The same at each
/// call.
class Traffic {
 public:
  explicit Traffic(const Load& load)
      : load_(load),
        // Those of one link are full, as from a file; those of many links come once a window or more often.
        batch_packets_(load.links == 1 ? kBatchPackets : std::min(kBatchPackets, load.links * load.packets)) {
    for (std::size_t link = 0; link < load.links; ++link)
      links_.push_back("bench/link" + std::to_string(link));
  }

  /// The messages of the next `windows` windows.
  std::vector<std::string> Next(std::size_t windows) {
    std::vector<std::string> messages;
    const std::size_t end = packet_ + windows * load_.links * load_.packets;
    while (packet_ < end) messages.push_back(MakeMessage(std::min(end, packet_ + batch_packets_)));
    return messages;
  }

 private:
  base::EventTime TimeOf(std::size_t packet) const {
    const std::size_t in_window = load_.links * load_.packets;
    const auto window = static_cast<std::int64_t>(packet / in_window);
    const auto part =
        static_cast<std::int64_t>(packet % in_window) * 1'000'000 / static_cast<std::int64_t>(in_window);
    return base::FromUnixNanoseconds(1'700'000'000'000'000'000) + kWindow * window +
           std::chrono::microseconds(part);
  }

  std::string MakeMessage(std::size_t end) {
    packet::PacketBatch batch;
    batch.source = "bench";
    batch.epoch = 1;
    batch.sequence = packet_;
    batch.started = TimeOf(0);
    std::vector<std::uint32_t> flow_indexes(load_.links * load_.flows, kAbsent),
        link_indexes(load_.links, kAbsent);
    for (; packet_ < end; ++packet_) Add(batch, flow_indexes, link_indexes);
    batch.watermark = batch.times.back();
    return wire::Encode(batch);
  }

  void Add(packet::PacketBatch& batch, std::vector<std::uint32_t>& flow_indexes,
           std::vector<std::uint32_t>& link_indexes) {
    const std::size_t link = packet_ % load_.links, turn = packet_ / load_.links, flow = turn % load_.flows;
    std::uint32_t& link_index = link_indexes[link];
    if (link_index == kAbsent) {
      link_index = static_cast<std::uint32_t>(batch.links.size());
      batch.links.push_back(links_[link]);
    }
    std::uint32_t& flow_index = flow_indexes[link * load_.flows + flow];
    if (flow_index == kAbsent) {
      flow_index = static_cast<std::uint32_t>(batch.flows.size());
      batch.flows.push_back({.link = link_index, .key = KeyOf(link, flow), .started = TimeOf(0)});
    }
    const bool tcp = flow % 4 != 3;
    batch.times.push_back(TimeOf(packet_));
    batch.flow_indexes.push_back(flow_index);
    batch.wire_lengths_bytes.push_back(static_cast<std::uint32_t>(60 + random_() % 1455));
    batch.tcp_flags.push_back(tcp ? packet::kTcpAck : 0);
    batch.traffic_classes.push_back(0);
    batch.ttls.push_back(64);
    batch.marks.push_back(turn < load_.flows ? packet::kBegins : 0);
  }

  static constexpr std::uint32_t kAbsent = ~std::uint32_t{0};
  Load load_;
  std::size_t batch_packets_;
  std::vector<std::string> links_;
  std::size_t packet_ = 0;  // number of the next one
  std::minstd_rand random_{1};
};

/// Of this process: others on the machine cost it caches, but no time.
base::Duration ProcessorTime() {
  return std::chrono::microseconds(std::int64_t{std::clock()} * 1'000'000 / CLOCKS_PER_SEC);
}

/// Of one round.
struct Cost {
  base::Duration decode{}, fold{}, encode{};
  std::size_t windows = 0, bytes_out = 0;
  base::Duration total() const { return decode + fold + encode; }
};

/// What the service does with a record, Kafka apart.
class Service {
 public:
  explicit Service(const std::string& features) {
    options_.window_length = kWindow;
    options_.schema = std::make_shared<feature::Schema>(feature::Schema::Parse(features));
    text_ = options_.schema->Text();
    fold_ = std::make_unique<window::PartitionFold>(options_);
  }
  std::size_t features() const { return options_.schema->size(); }

  Cost Take(const std::vector<std::string>& messages) {
    Cost cost;
    for (const std::string& message : messages) {
      const base::Duration began = ProcessorTime();
      const auto batch = wire::DecodePacketBatch(message);
      if (!batch) std::abort();
      const base::Duration decoded = ProcessorTime();
      window::FoldOutput output;
      fold_->Apply(*batch, offset_++, output);
      const base::Duration folded = ProcessorTime();
      Encode(output, cost);
      cost.decode += decoded - began;
      cost.fold += folded - decoded;
      cost.encode += ProcessorTime() - folded;
    }
    return cost;
  }

 private:
  /// Also gives the output back to the allocator, which is a part of the price.
  void Encode(window::FoldOutput& output, Cost& cost) const {
    cost.windows += output.closed.size();
    for (const window::ClosedWindow& closed : output.closed) {
      if (closed.sequence) cost.bytes_out += wire::Encode(*closed.sequence, text_).size();
      cost.bytes_out += wire::Encode(closed.window, text_).size();
    }
    for (const auto& [link, snapshot] : output.changed) {
      if (snapshot) cost.bytes_out += wire::Encode(*snapshot).size();
    }
    output = {};
  }

  window::FoldOptions options_;
  std::string text_;
  std::unique_ptr<window::PartitionFold> fold_;
  std::int64_t offset_ = 0;
};

/// A row: the best of so many rounds, or of more for at least a second, each over the windows that follow
/// those of the one before.
void Measure(const char* by, const Load& load, int rounds) {
  const std::size_t in_window = load.links * load.packets;
  const std::size_t windows = std::max<std::size_t>(load.links > 100 ? 4 : 20, 200'000 / in_window);
  Traffic traffic(load);
  Service service(load.features);
  service.Take(traffic.Next(kWarmUpWindows));
  Cost best;
  base::Duration spent{};
  for (int round = 0; round < rounds || spent < std::chrono::seconds(1); ++round) {
    const Cost cost = service.Take(traffic.Next(windows));
    spent += cost.total();
    if (round == 0 || cost.total() < best.total()) best = cost;
  }
  const auto per_window = [&](base::Duration part) {
    return base::ToSeconds(part) * 1e6 / static_cast<double>(best.windows);
  };
  std::printf(
      "{\"by\": \"%s\", \"links\": %zu, \"packets_per_window\": %zu, \"flows\": %zu, \"features\": %zu, "
      "\"ns_per_packet\": %.1f, \"us_per_window\": %.3f, \"decode_us\": %.3f, \"fold_us\": %.3f, "
      "\"encode_us\": %.3f, \"bytes_out_per_window\": %.0f}\n",
      by, load.links, load.packets, load.flows, service.features(),
      base::ToSeconds(best.total()) * 1e9 / static_cast<double>(windows * in_window),
      per_window(best.total()), per_window(best.decode), per_window(best.fold), per_window(best.encode),
      static_cast<double>(best.bytes_out) / static_cast<double>(best.windows));
  std::fflush(stdout);
}

}  // namespace

/// usage: cost_bench [ROUNDS]
int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 5;
  for (const std::size_t packets : {10, 30, 100, 300, 1'000, 3'000, 10'000, 30'000, 100'000})
    Measure("packets", {.packets = packets, .flows = 100}, rounds);
  for (const std::size_t links : {100, 300, 1'000, 3'000, 10'000, 30'000, 100'000})
    Measure("links", {.links = links}, rounds);
  for (const char* features : {"packets,bytes", "default", "all"}) {
    Measure("features, one link", {.packets = 10'000, .flows = 100, .features = features}, rounds);
    Measure("features, many links", {.links = 10'000, .features = features}, rounds);
  }
  return 0;
}
