// Makes the parts of the in-memory bus.
#include "libs/bus/memory_bus.h"

#include <limits>

#include "libs/bus/internal/memory_cluster.h"

namespace flowcast::bus {

struct MemoryBus::State : internal::MemoryCluster {
  using MemoryCluster::MemoryCluster;
};

MemoryBus::MemoryBus() : state_(std::make_shared<State>(nullptr)) {}
MemoryBus::MemoryBus(const base::Clock& clock) : state_(std::make_shared<State>(&clock)) {}
MemoryBus::~MemoryBus() = default;

std::unique_ptr<Consumer> MemoryBus::MakeConsumer(const ConsumerOptions& options) {
  return internal::MakeMemoryConsumer(state_, options);
}

std::unique_ptr<Producer> MemoryBus::MakeProducer(const ProducerOptions& options) {
  return internal::MakeMemoryProducer(state_, options);
}

std::unique_ptr<Admin> MemoryBus::MakeAdmin() { return internal::MakeMemoryAdmin(state_); }

Faults& MemoryBus::faults() { return state_->faults; }

std::vector<InRecord> MemoryBus::Records(const std::string& topic) const {
  state_->RequirePartition({topic, 0});
  std::vector<InRecord> records;
  const std::int32_t partitions = state_->FindTopic(topic)->partitions;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    state_->Read({topic, partition}, 0, std::numeric_limits<std::size_t>::max(), records);
  }
  return records;
}

std::vector<Position> MemoryBus::Committed(const std::string& group) const {
  return state_->Committed(group);
}

}  // namespace flowcast::bus
