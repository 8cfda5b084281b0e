// Packets of a source that ends into windows and sequences, by the same batches and the same fold as the
// services.
#pragma once

#include <vector>

#include "libs/capture/batcher.h"
#include "libs/capture/packet_source.h"
#include "libs/window/partition_fold.h"

namespace flowcast::offline {

struct OfflineOptions {
  /// As the capture's; epoch, settings and partitions change no window.
  capture::BatcherOptions batches{.reorder_tolerance = std::chrono::seconds(1)};
  window::FoldOptions fold;
};

/// The windows and sequences are those that flowcast-capture and flowcast-features publish of the same
/// packets with the same options, value for value. Not thread-safe.
class OfflineFold {
 public:
  /// `source` must outlive the fold.
  OfflineFold(capture::PacketSource& source, const OfflineOptions& options);

  /// Reads some packets and appends the windows that they close: over all calls in order of start, then link,
  /// whatever the batches. False once the source has ended and its last windows are closed. What the source
  /// throws passes through.
  bool Step(std::vector<window::ClosedWindow>& closed);

  /// packets_in = in windows + late, once Step has said false.
  const window::FoldCounters& counters() const { return fold_.counters(); }
  /// Packets that came by more than the reorder tolerance after newer ones.
  std::uint64_t stragglers() const { return batcher_.stragglers(); }
  std::size_t link_count() const { return batcher_.link_count(); }

 private:
  void FoldReady(std::vector<window::ClosedWindow>& closed);

  capture::PacketSource& source_;
  capture::Batcher batcher_;
  window::PartitionFold fold_;
  std::int64_t offset_ = 0;
  bool ended_ = false;
  std::vector<packet::Packet> packets_;
  std::vector<capture::AddressedBatch> ready_;
};

}  // namespace flowcast::offline
