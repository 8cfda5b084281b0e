// A bus in this process: for tests, offline runs and examples. Behaves like Kafka where the
// contract suite looks: order, groups, committed positions, transactions and fencing.
#pragma once

#include <memory>

#include "libs/bus/bus.h"

namespace flowcast::bus {

/// Knobs that make the bus misbehave, each until it is set back.
struct Faults {
  bool unreachable = false;    // every call throws kUnreachable
  int abort_next_commits = 0;  // this many commits throw kAbort
};

/// Thread-safe; what it makes is not. A Poll never waits: an empty result is given at once.
class MemoryBus : public Bus {
 public:
  MemoryBus();
  ~MemoryBus() override;
  std::unique_ptr<Consumer> MakeConsumer(const ConsumerOptions& options) override;
  std::unique_ptr<Producer> MakeProducer(const ProducerOptions& options) override;
  std::unique_ptr<Admin> MakeAdmin() override;

  Faults& faults();
  /// Everything committed to a topic, partition by partition.
  std::vector<InRecord> Records(const std::string& topic) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flowcast::bus
