// Sorts packets into batches: one source, one partition a batch, columns, tables of links and flows.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/capture/flow_table.h"
#include "libs/capture/link_namer.h"
#include "libs/packet/far_ahead.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

struct BatcherOptions {
  std::string source = "capture";
  std::uint64_t epoch = 0;     // 0: the first packet's time, so that the same file always has the same one
  std::uint64_t settings = 0;  // fingerprint of all that decides which packets there are
  std::int32_t partitions = 1;
  std::size_t batch_packets = 8192;
  std::size_t batch_bytes = 512 << 10;                               // about, encoded and not compressed
  base::Duration reorder_tolerance = std::chrono::milliseconds(50);  // how far back a time stamp may go
  LinkOptions links;
  base::CidrSet home_net;    // empty: directions are unknown
  AddressMapping anonymize;  // of all addresses that leave; links and directions go by the real ones
};

/// A batch and where it belongs.
struct AddressedBatch {
  std::int32_t partition = 0;
  packet::PacketBatch batch;
};

/// Batches close by count and size when packets are added, all together when Tick, Flush or Finish is
/// called. The watermark is the newest time stamp less the tolerance and never goes back; a packet dated more
/// than an hour after all before it waits for the next one, and says nothing about the time if that is not.
/// Not thread-safe.
class Batcher {
 public:
  explicit Batcher(const BatcherOptions& options);

  /// `interfaces` are the names that the packets' interfaces point into. Appends the batches that are full.
  void Add(std::span<const packet::Packet> packets, const std::vector<std::string>& interfaces,
           std::vector<AddressedBatch>& ready);
  /// Closes every open batch and gives each partition that has a link one, empty where nothing
  /// came, that carries the watermark. `lower_bound` is what the source knows by itself; the
  /// tolerance is taken off it too.
  void Tick(base::EventTime lower_bound, std::vector<AddressedBatch>& ready);
  /// Closes the batches that hold packets, because the program ends but the source does not. A packet that
  /// waits for the next one is left out.
  void Flush(std::vector<AddressedBatch>& ready);
  /// As Tick with the final mark; the watermark is then at least the newest packet's time.
  void Finish(std::vector<AddressedBatch>& ready);

  /// Carried in every batch that follows, but for `published`, which is what was taken so far less
  /// what queue and spool dropped. `coming` of the received packets will be added next: a batch that
  /// closes before the last of them has not received the rest yet.
  void SetCounters(const packet::SourceCounters& counters, std::uint64_t coming = 0) {
    counters_ = counters;
    taken_then_ = taken() + coming;
  }

  /// Packets added.
  std::uint64_t taken() const { return taken_ + (astray_ ? 1 : 0); }
  /// Of these, by kind.
  const std::array<std::uint64_t, packet::kKinds>& by_kind() const { return by_kind_; }
  /// Of these, older than one before them.
  std::uint64_t out_of_order() const { return out_of_order_; }
  /// Of these, by more than the tolerance.
  std::uint64_t stragglers() const { return stragglers_; }
  base::EventTime newest() const { return newest_; }
  base::EventTime watermark() const { return watermark_; }
  std::size_t link_count() const { return namer_.size(); }

 private:
  struct Partition {
    packet::PacketBatch open;
    std::uint64_t batch = 1;  // number of the open one
    std::uint64_t next_sequence = 0;
    std::size_t open_bytes = 0;
    base::EventTime last_watermark = base::kBeginningOfTime;
  };
  struct Link {
    std::int32_t partition_number = 0;
    Partition* partition = nullptr;
    std::uint64_t batch = 0;  // the batch that `index` is valid in
    std::uint32_t index = 0;
  };

  /// A packet that waits, and what its interface points into.
  struct Astray {
    packet::Packet packet;
    std::vector<std::string> interfaces;
  };

  void AddOne(const packet::Packet& packet, std::uint64_t flow_hash,
              const std::vector<std::string>& interfaces, std::vector<AddressedBatch>& ready);
  void Take(const packet::Packet& packet, std::uint64_t flow_hash, const std::vector<std::string>& interfaces,
            std::vector<AddressedBatch>& ready);
  void TakeAstray(bool tells_time, std::vector<AddressedBatch>& ready);
  bool IsFarAhead(const packet::Packet& packet) const {
    return packet::IsFarAhead(packet.time, std::max(newest_, watermark_));
  }
  void SeeTime(base::EventTime time);
  void BeginSource(const packet::Packet& first);
  void Learn(const packet::Packet& packet, const std::vector<std::string>& interfaces, KnownFlow& flow);
  void Enter(Link& link, KnownFlow& flow);
  void Close(std::int32_t number, Partition& partition, bool final, std::vector<AddressedBatch>& ready);
  void CloseAll(bool final, std::vector<AddressedBatch>& ready);

  BatcherOptions options_;
  LinkNamer namer_;
  bool started_ = false;
  base::EventTime first_ = base::kBeginningOfTime;
  base::EventTime newest_ = base::kBeginningOfTime;
  base::EventTime watermark_ = base::kBeginningOfTime;
  std::uint64_t content_ = 0;
  packet::SourceCounters counters_;
  std::uint64_t taken_ = 0;
  std::uint64_t taken_then_ = 0;  // when all is added that counters_ speak of
  std::array<std::uint64_t, packet::kKinds> by_kind_{};
  std::uint64_t out_of_order_ = 0;
  std::uint64_t stragglers_ = 0;
  std::map<std::int32_t, Partition> partitions_;
  std::vector<Link> links_;  // by number
  std::optional<Astray> astray_;
  FlowTable flows_;
};

}  // namespace flowcast::capture
