// A bus to test, in memory and over a real Kafka (FLOWCAST_TEST_BROKERS), and verbs for it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <random>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/bus/memory_bus.h"
#include "libs/kafka/kafka_bus.h"

namespace flowcast::bus {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

inline std::string Unique(const std::string& what) {
  static int count = 0;
  static const auto run = std::random_device()();
  return "contract." + what + "." + std::to_string(run) + "." + std::to_string(++count);
}

struct Listener : RebalanceListener {
  void OnAssigned(std::vector<Position>& partitions) override {
    held = partitions;
    ++assignments;
  }
  void OnRevoked(const std::vector<TopicPartition>& partitions, bool) override {
    EXPECT_EQ(partitions.size(), held.size());
    held.clear();
    ++revocations;
  }
  std::vector<Position> held;
  int assignments = 0;
  int revocations = 0;
};

class BusContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      bus_ = std::make_unique<MemoryBus>();
    } else if (std::getenv("FLOWCAST_TEST_BROKERS") != nullptr) {
      bus_ = Kafka();
    } else if (std::getenv("FLOWCAST_REQUIRE_BROKER") != nullptr) {
      FAIL() << "FLOWCAST_REQUIRE_BROKER is set but FLOWCAST_TEST_BROKERS is not";
    } else {
      GTEST_SKIP() << "set FLOWCAST_TEST_BROKERS=host:port to run this over Kafka";
    }
    topic_ = MakeTopic(2);
  }
  void TearDown() override {
    if (bus_ == nullptr) return;
    for (const std::string& topic : topics_) bus_->MakeAdmin()->DeleteTopic(topic);
  }

  static std::unique_ptr<Bus> Kafka(const std::map<std::string, std::string>& properties = {}) {
    return kafka::Connect(
        {.brokers = std::getenv("FLOWCAST_TEST_BROKERS"), .properties = properties, .timeout = 20s});
  }
  std::string MakeTopic(std::int32_t partitions) {
    topics_.push_back(Unique("topic"));
    EXPECT_TRUE(bus_->MakeAdmin()->CreateTopic(
        {topics_.back(), partitions, 1, {{"cleanup.policy", "compact"}, {"max.message.bytes", "17825792"}}}));
    return topics_.back();
  }
  OutRecord Record(const std::string& value, std::int32_t partition = 0) const {
    return {.to = {topic_, partition}, .key = "key", .value = value};
  }
  void Produce(const std::vector<std::string>& values, std::int32_t partition = 0) {
    const auto producer = bus_->MakeProducer({});
    for (const std::string& value : values) producer->Send(Record(value, partition));
    producer->Flush(20s);
  }
  std::unique_ptr<Producer> Transactional(const std::string& id) {
    auto producer = bus_->MakeProducer({.transactional_id = id});
    producer->InitTransactions();
    return producer;
  }
  /// Of partition 0, by a member that leaves the group.
  void Commit(const std::string& group, std::int64_t offset) {
    Listener listener;
    const auto consumer = bus_->MakeConsumer({group});
    consumer->Subscribe({topic_}, listener);
    AwaitAssignment(*consumer, listener);
    const auto producer = Transactional(Unique("tx"));
    producer->Begin();
    producer->Commit({{{topic_, 0}, offset, ""}}, *consumer->Token());
    consumer->Close();
  }
  std::unique_ptr<Consumer> Reader() {
    auto consumer = bus_->MakeConsumer({});
    consumer->Assign({{{topic_, 0}, kNoOffset, ""}});
    return consumer;
  }
  static void Until(const std::function<bool()>& condition, const std::function<void()>& step) {
    base::SystemClock clock;
    const auto deadline = clock.Steady() + 30s;
    while (!condition()) {
      ASSERT_LT(clock.Steady(), deadline) << "the condition was not met in time";
      step();
    }
  }
  static std::vector<InRecord> ReadRecords(Consumer& consumer, std::size_t count) {
    std::vector<InRecord> records;
    Until([&] { return records.size() >= count; },
          [&] {
            for (auto& record : consumer.Poll(100ms, count - records.size())) records.push_back(record);
          });
    return records;
  }
  static std::vector<std::string> Read(Consumer& consumer, std::size_t count) {
    std::vector<std::string> values;
    for (const auto& record : ReadRecords(consumer, count)) values.push_back(record.value);
    return values;
  }
  /// Everything that is there now.
  std::vector<std::string> ReadToEnd(Consumer& consumer) {
    std::vector<std::string> values;
    const TopicPartition partition{topic_, 0};
    const auto end = consumer.EndOffset(partition);
    const auto poll = [&] {
      for (const auto& record : consumer.Poll(100ms, 100)) values.push_back(record.value);
    };
    poll();
    Until([&] { return consumer.NextOffset(partition) >= end; }, poll);
    return values;
  }
  static void AwaitAssignment(Consumer& consumer, const Listener& listener) {
    Until([&] { return !listener.held.empty(); }, [&] { consumer.Poll(100ms, 1); });
  }
  static BusError ErrorOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const BusError& error) {
      return error;
    }
    ADD_FAILURE() << "no BusError was thrown";
    return {BusError::Kind::kUnreachable, ""};
  }

  std::unique_ptr<Bus> bus_;
  std::vector<std::string> topics_;
  std::string topic_;
};

}  // namespace flowcast::bus
