// Sorts packets into batches: one source, one partition a batch, columns, tables of links and flows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/capture/flow_table.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

struct BatcherOptions {
  std::string source = "capture";
  std::uint64_t epoch = 0;  // 0: the first packet's time, so that the same file always has the same one
  std::int32_t partitions = 1;
  std::size_t batch_packets = 8192;
  base::Duration reorder_tolerance = std::chrono::milliseconds(50);  // how far back a time stamp may go
};

/// A batch and where it belongs.
struct AddressedBatch {
  std::int32_t partition = 0;
  packet::PacketBatch batch;
};

/// Batches close by count when packets are added, all together when Tick or Finish is called.
/// The watermark is the newest time stamp less the tolerance and never goes back. Not thread-safe.
class Batcher {
 public:
  explicit Batcher(const BatcherOptions& options) : options_(options) {}

  /// `interfaces` are the names that the packet's interface points into. Appends a batch when one is full.
  void Add(const packet::Packet& packet, const std::vector<std::string>& interfaces,
           std::vector<AddressedBatch>& ready);
  /// Closes every open batch and gives each partition that has a link one, empty where nothing
  /// came, that carries the watermark. `lower_bound` is what the source knows by itself; the
  /// tolerance is taken off it too.
  void Tick(base::EventTime lower_bound, std::vector<AddressedBatch>& ready);
  /// The same with the final mark; the watermark is then at least the newest packet's time.
  void Finish(std::vector<AddressedBatch>& ready);

  /// Carried in every batch that follows, but for `published`, which is ours: what was taken so far.
  void SetCounters(const packet::SourceCounters& counters) { counters_ = counters; }

  /// Packets added, and of these the ones in batches that were closed.
  std::uint64_t taken() const { return taken_; }
  std::uint64_t published() const { return taken_ - waiting(); }
  /// Packets in batches that are still open.
  std::uint64_t waiting() const;
  std::uint64_t out_of_order() const { return out_of_order_; }
  base::EventTime newest() const { return newest_; }

 private:
  struct Partition {
    packet::PacketBatch open;
    FlowTable flows;
    std::uint64_t next_sequence = 0;
    base::EventTime last_watermark = base::kBeginningOfTime;
  };
  struct Link {
    std::string name;
    Partition* partition = nullptr;
    std::int32_t partition_number = 0;
    std::uint64_t batch = ~std::uint64_t{0};  // the batch that `index` is valid in
    std::uint32_t index = 0;
  };

  void BeginSource(const packet::Packet& first);
  Link& LinkOf(const packet::Packet& packet, const std::vector<std::string>& interfaces);
  void Close(std::int32_t number, Partition& partition, bool final, std::vector<AddressedBatch>& ready);
  void CloseAll(bool final, std::vector<AddressedBatch>& ready);

  BatcherOptions options_;
  bool started_ = false;
  base::EventTime first_ = base::kBeginningOfTime;
  base::EventTime newest_ = base::kBeginningOfTime;
  base::EventTime watermark_ = base::kBeginningOfTime;
  packet::SourceCounters counters_;
  std::uint64_t taken_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::map<std::int32_t, Partition> partitions_;
  std::vector<Link> links_;  // by interface
};

}  // namespace flowcast::capture
