// The feature service over the in-memory bus, instance after instance.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"
#include "services/features/features_service.h"
#include "tests/support/services.h"
#include "tests/support/traffic.h"

namespace flowcast::services {

using namespace std::chrono_literals;
using support::At;
using support::Instance;
using support::Stream;
using testing::IsEmpty;
using testing::SizeIs;

using Log = std::vector<packet::PacketBatch>;

/// The whole world of one run: a bus, and instances of the service one after the other.
class World {
 public:
  explicit World(std::int32_t partitions = 1) { support::CreateTopics(bus, names, partitions); }
  void Send(const packet::PacketBatch& batch) { SendBytes(wire::Encode(batch)); }
  void SendBytes(const std::string& value) { support::Send(bus, names.packets, value); }
  /// A new process.
  void Begin() {
    instance.reset();
    reader = std::make_unique<state::StateReader>(
        state::StateReader::Parts{bus, clock, names.state, kFeaturesState, stop});
    store = std::make_unique<PartitionStore>(*reader, options.fold, names, lines.log());
    task = std::make_unique<FeaturesTask>(options, names, clock, lines.log());
    task->Connect(*store);
    instance = std::make_unique<Instance>(bus, clock, *task, names.packets, "features", lines.log());
  }
  std::vector<std::string> Values(const std::string& topic) const {
    std::vector<std::string> values;
    for (const bus::InRecord& record : bus.Records(topic)) values.push_back(record.key + "=" + record.value);
    return values;
  }

  FeaturesOptions options{
      .fold = {.window_length = 5s, .link_expiry = 60s, .sequence_length = 4, .snapshot_every = 3}};
  std::function<bool()> stop = [] { return false; };
  base::ManualClock clock;
  bus::MemoryBus bus{clock};
  topics::Names names;
  support::Lines lines;
  std::unique_ptr<state::StateReader> reader;
  std::unique_ptr<PartitionStore> store;
  std::unique_ptr<FeaturesTask> task;
  std::unique_ptr<Instance> instance;
};

/// Commits a position as another program would.
inline void CommitAs(World& world, const std::string& metadata) {
  const auto consumer = world.bus.MakeConsumer({"features"});
  const auto producer = world.bus.MakeProducer({.transactional_id = "someone"});
  struct Deaf : bus::RebalanceListener {
    void OnAssigned(std::vector<bus::Position>&) override {}
    void OnRevoked(const std::vector<bus::TopicPartition>&, bool) override {}
  } deaf;
  consumer->Subscribe({world.names.packets}, deaf);
  consumer->Poll(0ms, 1);
  producer->InitTransactions();
  producer->Begin();
  producer->Commit({{{world.names.packets, 0}, 1, metadata}}, *consumer->Token());
  consumer->Close();
}

/// As who deletes topics does, and no instance is running.
inline void MakeAnew(World& world, const std::vector<std::string>& topics) {
  world.instance.reset();
  for (const std::string& topic : topics) world.bus.MakeAdmin()->DeleteTopic(topic);
  support::CreateTopics(world.bus, world.names);
}

class FeaturesServiceTest : public testing::Test {
 protected:
  static Log MakeLog(std::uint64_t seed, double disorder_s) {
    base::Random random(seed);
    const support::BatchLimits limits{.disorder_s = disorder_s};
    Log one = MakeBatches(random, "one", support::MakeSightings(random, 200), limits);
    Log two = MakeBatches(random, "two", support::MakeSightings(random, 120), limits);
    return support::WithResends(random, support::Merge(std::move(one), two));
  }
  void RunStraight(const Log& log) {
    world_.Begin();
    for (const packet::PacketBatch& batch : log) world_.Send(batch);
    world_.instance->RunOut();
  }
  static void ExpectSame(const World& actual, const World& wanted) {
    EXPECT_EQ(actual.Values(actual.names.windows), wanted.Values(wanted.names.windows));
    EXPECT_EQ(actual.Values(actual.names.sequences), wanted.Values(wanted.names.sequences));
  }
  World world_;
};

}  // namespace flowcast::services
