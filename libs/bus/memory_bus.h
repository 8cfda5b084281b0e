// A bus in this process: for tests, offline runs and examples. Behaves like Kafka where the
// contract suite looks: order, groups, committed positions, transactions and fencing.
#pragma once

#include <atomic>
#include <memory>

#include "libs/base/clock.h"
#include "libs/bus/bus.h"

namespace flowcast::bus {

/// Knobs that make the bus misbehave, each until it is set back. May be turned from any thread.
struct Faults {
  /// Every call that would ask a broker throws kUnreachable; TrySend fills the producer's queue.
  std::atomic<bool> unreachable = false;
  /// This many commits throw kAbort.
  std::atomic<int> abort_next_commits = 0;
};

/// Thread-safe; what it makes is not. A Poll never waits: an empty result is given at once. A
/// rebalance happens in the Poll of each member in turn: first all give up what they have, then
/// each receives its share, so it takes two rounds of Poll when there are several members.
/// The end of a transaction takes an offset in each of its partitions, as Kafka's marker does.
class MemoryBus : public Bus {
 public:
  /// Every record is produced at the epoch.
  MemoryBus();
  /// Records carry the clock's time; it must outlive the bus.
  explicit MemoryBus(const base::Clock& clock);
  ~MemoryBus() override;
  std::unique_ptr<Consumer> MakeConsumer(const ConsumerOptions& options) override;
  std::unique_ptr<Producer> MakeProducer(const ProducerOptions& options) override;
  std::unique_ptr<Admin> MakeAdmin() override;

  Faults& faults();
  /// Everything committed to a topic, partition by partition. Throws kMissingTopic.
  std::vector<InRecord> Records(const std::string& topic) const;
  /// What a group has committed, ordered by partition.
  std::vector<Position> Committed(const std::string& group) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flowcast::bus
