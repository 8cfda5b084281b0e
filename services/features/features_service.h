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
#include "libs/wire/window_json.h"
#include "libs/wire/wire_error.h"
#include "services/features/partition_store.h"

namespace flowcast::services {

struct FeaturesOptions {
  window::FoldOptions fold;
  base::Duration source_expiry =
      std::chrono::hours(1);  // of silence, by the clock; then a source has vanished
  bool json_mirror = false;   // each window on windows-json.v1, too
  bool trace = false;         // a debug line for each batch with packets, each window and each sequence
  std::size_t spare_windows =
      1'000;  // whose sequences are made at a time when they are made after the windows
};

/// Records in = batches applied + refused by reason.
struct FeaturesCounters {
  std::uint64_t refused_not_ours = 0;
  std::uint64_t refused_version = 0;
  std::uint64_t refused_inconsistent = 0;
  std::uint64_t refolded = 0;       // batches read again after a restart or rebalance
  std::uint64_t state_records = 0;  // written to state.v1
  std::uint64_t json_records = 0;   // written to windows-json.v1
  std::uint64_t refused() const { return refused_not_ours + refused_version + refused_inconsistent; }
};

/// Where a partition stood is in state.v1, written in the transaction of the position it belongs to:
/// snapshots of links now and then, and the progress of the sources. After an assignment they are read, with
/// the windows of windows.v1 that followed the snapshots; then the packets from the committed position to the
/// progress's next_offset are folded again, which rebuilds the windows that are open without anything being
/// produced (rule 3 of the design, ADR 0010).
class FeaturesTask : public slice::Task {
 public:
  FeaturesTask(const FeaturesOptions& options, const topics::Names& names, const base::Clock& clock,
               base::Log log)
      : options_(options),
        schema_text_(options.fold.schema->Text()),
        features_(wire::AllFeatures(*options.fold.schema)),
        names_(names),
        clock_(clock),
        log_(std::move(log)) {}

  /// Before the first assignment; `store` must outlive the task.
  void Connect(PartitionStore& store) { store_ = &store; }

  bool IsOfThisTopic(const bus::Position& position) override { return store_->IsOfThisTopic(position); }
  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  bool OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox& outbox) override;
  bool HasSpareWork() const override;
  void OnSpare(slice::Outbox& outbox) override;
  void OnCommit(slice::Outbox& outbox) override;
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
    PartitionState state;  // as it was found; then only next_offset moves
    window::FoldCounters before_live;
    std::uint64_t waiting_then = 0;               // packets of open windows when it went live
    bool live = false;                            // past the silent re-fold
    bool moved = false;                           // since the last commit
    std::map<std::string, base::Duration> heard;  // when something of a source was read last
    base::Duration begun{};                       // when the partition became ours
  };

  void Refold(const bus::InRecord& record, Partition& partition);
  void GoLive(Partition& partition);
  bool CloseSome(std::int32_t number, Partition& partition, slice::Outbox& outbox);
  void ForgetVanished(std::int32_t number, Partition& partition, slice::Outbox& outbox);
  wire::FeaturesProgress ProgressOf(const Partition& partition, std::int64_t from) const;
  static std::int64_t PositionOf(const Partition& partition);
  void ForgetLeftover(std::int32_t number, Partition& partition, slice::Outbox& outbox);
  void Refuse(const bus::InRecord& record, wire::WireError error);
  void Trace(const bus::InRecord& record, const packet::PacketBatch& batch) const;
  void Trace(const feature::Window& window) const;
  void Emit(std::int32_t number, Partition& of, const window::FoldOutput& output, slice::Outbox& outbox);
  void Emit(std::int32_t number, const feature::Sequence& sequence, slice::Outbox& outbox);

  FeaturesOptions options_;
  std::string schema_text_;
  std::vector<wire::NamedFeature> features_;  // of the JSON
  topics::Names names_;
  const base::Clock& clock_;
  base::Log log_;
  PartitionStore* store_ = nullptr;
  base::Duration next_check_{};
  std::map<bus::TopicPartition, Partition> partitions_;
  FeaturesCounters counters_;
  window::FoldCounters past_;  // of partitions that are no longer ours
};

}  // namespace flowcast::services
