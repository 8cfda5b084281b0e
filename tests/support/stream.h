// A source's stream of packet batches, put together by hand.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "libs/packet/packet.h"

namespace flowcast::support {

/// A moment of the tests' own time, which starts on a boundary of every sensible window.
inline base::EventTime At(double seconds) {
  constexpr std::int64_t kStart = 1'700'000'000'000'000'000;  // a multiple of 5, 10 and 20 s
  return base::FromUnixNanoseconds(kStart + std::llround(seconds * 1e9));
}

inline base::IpAddress Ip4(int a, int b, int c, int d) {
  base::IpAddress address{.version = 4};
  address.bytes = {static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), static_cast<std::uint8_t>(c),
                   static_cast<std::uint8_t>(d)};
  return address;
}

/// The `number`th TCP conversation from the home net to the world.
inline packet::FlowKey Flow(int number = 0) {
  return {.source = Ip4(10, 0, 0, 1 + number % 200),
          .destination = Ip4(198, 18, 0, 1),
          .source_port = static_cast<std::uint16_t>(40000 + number),
          .destination_port = 443,
          .ether_type = 0x0800,
          .protocol = 6};
}

/// Collects packets; Next gives them as the stream's next batch.
class Stream {
 public:
  explicit Stream(std::string source = "demo", std::uint64_t epoch = 1) {
    batch_.source = std::move(source);
    batch_.epoch = epoch;
  }

  Stream& Add(const std::string& link, base::EventTime time, std::uint32_t bytes = 100,
              const packet::FlowKey& key = Flow(), std::uint8_t tcp_flags = packet::kTcpAck) {
    if (batch_.started == base::kBeginningOfTime) batch_.started = time;
    batch_.times.push_back(time);
    packet::BatchFlow flow{LinkIndex(batch_.source + "/" + link), key};
    const auto [began, first] = begun_.try_emplace({link, packet::FlowKeyHash{}(key)}, time);
    flow.started = base::AlignDown(began->second, packet::kStartResolution);
    batch_.flow_indexes.push_back(FlowIndex(flow));
    batch_.marks.push_back(first ? packet::kBegins : 0);
    batch_.wire_lengths_bytes.push_back(bytes);
    batch_.tcp_flags.push_back(tcp_flags);
    batch_.traffic_classes.push_back(0);
    batch_.ttls.push_back(64);
    return *this;
  }

  packet::PacketBatch Next(base::EventTime watermark, bool final = false) {
    batch_.watermark = watermark;
    batch_.final = final;
    packet::PacketBatch next{.source = batch_.source,
                             .epoch = batch_.epoch,
                             .content = batch_.content,
                             .sequence = batch_.sequence + batch_.size(),
                             .started = batch_.started};
    return std::exchange(batch_, std::move(next));
  }
  /// As if a batch with so many packets had been lost.
  void Skip(std::uint64_t packets) { batch_.sequence += packets; }
  std::size_t waiting() const { return batch_.size(); }

 private:
  template <typename Table, typename Value>
  static std::uint32_t IndexIn(Table& table, const Value& value) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i] == value) return static_cast<std::uint32_t>(i);
    }
    table.push_back(value);
    return static_cast<std::uint32_t>(table.size() - 1);
  }
  std::uint32_t LinkIndex(const std::string& link) { return IndexIn(batch_.links, link); }
  std::uint32_t FlowIndex(const packet::BatchFlow& flow) { return IndexIn(batch_.flows, flow); }

  packet::PacketBatch batch_;
  std::map<std::pair<std::string, std::size_t>, base::EventTime> begun_;
};

}  // namespace flowcast::support
