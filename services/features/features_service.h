// The task of the feature service: one fold a partition, its windows and sequences out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/slice/slice_loop.h"
#include "libs/topics/topics.h"
#include "libs/window/partition_fold.h"
#include "libs/wire/progress_wire.h"

namespace flowcast::services {

/// Records in = batches applied + refused by reason.
struct FeaturesCounters {
  std::uint64_t refused_not_ours = 0;
  std::uint64_t refused_version = 0;
  std::uint64_t refused_inconsistent = 0;
  std::uint64_t refolded = 0;  // batches read again after a restart or rebalance
  std::uint64_t refused() const { return refused_not_ours + refused_version + refused_inconsistent; }
};

/// After an assignment the records before the committed next_offset are folded again without
/// anything being produced, so that the fold stands where it stood (rule 3 of the design).
class FeaturesTask : public slice::Task {
 public:
  FeaturesTask(const window::FoldOptions& options, const topics::Names& names, base::Log log)
      : options_(options), names_(names), log_(std::move(log)) {}

  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  void OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox&) override {}
  std::vector<bus::Position> Positions() const override;

  const FeaturesCounters& counters() const { return counters_; }
  /// Summed over the partitions that were ever assigned; without what was only folded again.
  window::FoldCounters fold_counters() const;
  std::size_t link_count() const;
  /// Packets in windows that are open, those that were folded again included.
  std::uint64_t waiting_packets() const;
  /// The oldest watermark of what is assigned; kEndOfTime without a running source.
  base::EventTime Watermark() const;

 private:
  struct Partition {
    window::PartitionFold fold;
    wire::PartitionProgress progress;  // as committed; then only next_offset moves
    window::FoldCounters before_live;
    bool live = false;  // past the silent re-fold
  };

  Partition MakePartition(const bus::Position& position) const;
  void GoLive(Partition& partition);
  void Refuse(const bus::InRecord& record, wire::WireError error);
  void Emit(const bus::InRecord& record, slice::Outbox& outbox);

  window::FoldOptions options_;
  topics::Names names_;
  base::Log log_;
  std::map<bus::TopicPartition, Partition> partitions_;
  FeaturesCounters counters_;
  window::FoldCounters past_;  // of partitions that are no longer ours
  std::vector<window::ClosedWindow> closed_;
};

}  // namespace flowcast::services
