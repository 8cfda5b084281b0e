// The consume-compute-produce loop that features and inference share: one Kafka transaction a
// slice, with the consumer group's positions in it (rule 3 of the design).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"

namespace flowcast::slice {

/// Where a task puts its records during a slice; sent in order, visible when the slice commits.
using Outbox = std::vector<bus::OutRecord>;

/// What a service does with its records. All calls come from the loop's thread. A task keeps no
/// state that is not rebuilt from what OnAssigned and the records after it tell.
class Task {
 public:
  virtual ~Task() = default;
  /// Asked before OnAssigned of a position that lies within its partition: false when the topic is not the
  /// one any more that it was committed for. Such a position is given to OnAssigned as none.
  virtual bool IsOfThisTopic(const bus::Position&) { return true; }
  /// Forget everything about these partitions and start from their committed positions.
  virtual void OnAssigned(const std::vector<bus::Position>& partitions) = 0;
  virtual void OnRevoked(const std::vector<bus::TopicPartition>& partitions) = 0;
  /// False when there is more to do with the record: it is given again, perhaps after a commit.
  virtual bool OnRecord(const bus::InRecord& record, Outbox& outbox) = 0;
  /// Called when the loop would otherwise wait, and before each commit: time to work on what was
  /// collected (a batch).
  virtual void OnIdle(Outbox& outbox) = 0;
  /// Work that can wait until nothing is to be read: whether there is any, and a small part of it.
  virtual bool HasSpareWork() const { return false; }
  virtual void OnSpare(Outbox&) {}
  /// True when what is in the outbox should be visible now rather than at the slice's end; asked
  /// after the records of one Poll. By default whatever is there should.
  virtual bool WantsCommit(const Outbox& outbox) const { return !outbox.empty(); }
  /// True when Positions() would say something new though no record was read since they were committed.
  virtual bool HasMoved() const { return false; }
  /// The last word before a slice is committed: state that belongs to its positions, as they were given
  /// just before.
  virtual void OnCommit(Outbox&) {}
  /// The position to commit for each assigned partition, taken when a slice is committed; those
  /// without an offset are left as they are.
  virtual std::vector<bus::Position> Positions() const = 0;
};

struct SliceOptions {
  std::vector<std::string> topics;
  base::Duration slice_length = std::chrono::milliseconds(250);
  std::size_t poll_limit = 512;
  std::size_t outbox_limit = 100'000;  // a slice with more records than this is committed at once
  std::size_t live_limit = 1'000;      // the first part while the loop keeps up; each next is twice as large
  /// When no longer ago the newest record read was written, or less was left to read than one Poll gives.
  base::Duration keeps_up = std::chrono::seconds(1);
  std::size_t send_at = 250;            // so many are sent before the slice ends
  std::chrono::milliseconds gather{0};  // for more records, before what is to be committed at once is
  base::Duration gather_at_most = std::chrono::milliseconds(10);
  base::Duration spare_after = std::chrono::milliseconds(25);  // without other output
  int spare_parts = 5;  // of spare work, before the loop commits and looks for new records
  base::Log log = [](base::LogLevel, const std::string&) {};
};

struct SliceCounters {
  std::uint64_t records_in = 0;
  std::uint64_t records_out = 0;  // committed
  std::uint64_t commits = 0;
  std::uint64_t aborts = 0;
  std::uint64_t rebalances = 0;              // assignments received, roll-backs not counted
  std::uint64_t unread = 0;                  // records that wait in the partitions that are ours
  std::chrono::milliseconds produced_at{0};  // newest of the records read, since the Unix epoch
};

/// A small outbox is held until the slice commits, and the transaction is open only while it is sent: however
/// long a task computes, no reader waits for it and no transaction times out. A large one is sent in parts,
/// so that Kafka takes one while the next is computed.
class SliceLoop : private bus::RebalanceListener {
 public:
  /// All references must outlive the loop. Inert until Start.
  SliceLoop(bus::Consumer& consumer, bus::Producer& producer, base::Clock& clock, Task& task,
            SliceOptions options);

  /// Fences older instances and joins the group. Throws bus::BusError.
  void Start();
  /// Polls once and commits when a slice is due. Throws bus::BusError only for kFatal,
  /// kMissingTopic and lasting kUnreachable, and what the task throws; an aborted transaction is rolled
  /// back and repeated. After all but kFatal it may be called again: nothing is lost or doubled.
  /// Returns the number of records read; 0 may come before `wait` is over.
  std::size_t RunOnce(std::chrono::milliseconds wait);
  /// Commits the slice in flight, does the spare work, and leaves the group, also when a commit throws.
  void Stop();

  const SliceCounters& counters() const { return counters_; }
  /// Something was sent that is not committed yet.
  bool in_transaction() const { return in_transaction_; }

 private:
  void OnAssigned(std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions, bool lost) override;
  void ForgetStrangers(std::vector<bus::Position>& partitions);
  std::chrono::milliseconds TimeToWait(std::chrono::milliseconds wait) const;
  void Work(const std::vector<bus::InRecord>& records);
  void Idle();
  void Spare();
  void OpenSlice();
  bool SliceIsDue() const;
  bool KeepsUp() const;
  std::size_t Limit() const;
  bool CommitPart();
  bool HasGathered(bool nothing_came);
  bool Commit();     // false when it was rolled back
  bool SendAhead();  // likewise
  void Send();
  bool Try(const std::function<void()>& action);  // what the producer does
  void RollBack();
  void Drop();
  void Forget();

  bus::Consumer& consumer_;
  bus::Producer& producer_;
  base::Clock& clock_;
  Task& task_;
  SliceOptions options_;
  Outbox outbox_;
  SliceCounters counters_;
  std::vector<bus::Position> committed_;
  base::Duration slice_began_{};
  bool gathering_ = false;
  base::Duration gathering_since_{};
  base::Duration spare_from_{};
  std::optional<base::Duration> caught_up_at_;  // when less was left than one Poll gives
  std::size_t sent_ = 0;                        // records in the open transaction
  std::size_t part_;               // records after which one is committed while the loop keeps up
  bool spared_ = false;            // what is to be committed is spare work
  bool slice_open_ = false;        // something was read or produced since the last commit
  bool idle_is_due_ = false;       // something was read since the last OnIdle
  bool in_transaction_ = false;    // from the first record sent; the next Poll may come before the commit
  bool roll_back_is_due_ = false;  // begun but not finished
};

}  // namespace flowcast::slice
