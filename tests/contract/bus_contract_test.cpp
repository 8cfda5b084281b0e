// What every bus must do, over the in-memory bus and over a real Kafka (FLOWCAST_TEST_BROKERS).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <random>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/bus/memory_bus.h"
#include "libs/kafka/kafka_bus.h"

namespace flowcast::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string Unique(const std::string& what) {
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
    } else if (const char* brokers = std::getenv("FLOWCAST_TEST_BROKERS")) {
      bus_ = kafka::Connect({.brokers = brokers, .timeout = 20s});
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

INSTANTIATE_TEST_SUITE_P(Over, BusContract, testing::Values("memory", "broker"),
                         [](const auto& instance) { return instance.param; });

TEST_P(BusContract, RecordsKeepTheirOrderWithinAPartition) {
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) values.push_back(std::to_string(i));
  Produce(values);
  EXPECT_EQ(Read(*Reader(), values.size()), values);
}

TEST_P(BusContract, KeysHeadersEmptyValuesAndTombstonesSurvive) {
  const auto producer = bus_->MakeProducer({});
  const std::string binary("a\0b\xff", 4);
  producer->Send(
      {.to = {topic_, 0}, .key = binary, .value = binary, .headers = {{"ce_id", "1"}, {"ce_id", binary}}});
  producer->Send({.to = {topic_, 0}, .key = "k", .value = ""});
  producer->Send({.to = {topic_, 0}, .key = "k", .tombstone = true});
  producer->Flush(20s);
  EXPECT_EQ(producer->queued(), 0u);
  const auto records = ReadRecords(*Reader(), 3);
  EXPECT_EQ(records[0].key, binary);
  EXPECT_EQ(records[0].value, binary);
  EXPECT_THAT(records[0].headers, ElementsAre(Header{"ce_id", "1"}, Header{"ce_id", binary}));
  EXPECT_FALSE(records[1].tombstone);
  EXPECT_TRUE(records[2].tombstone);
  EXPECT_EQ(records[2].key, "k");
  EXPECT_EQ(records[2].offset, 2);
}

TEST_P(BusContract, RecordsThatAreTriedKeepTheirOrderAmongTheOthers) {
  const auto producer = bus_->MakeProducer({});
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(std::to_string(i));
    OutRecord record = Record(values.back());
    if (i % 3 == 0) {
      producer->Send(std::move(record));
    } else {
      Until([&] { return producer->TrySend(record); }, [] {});
    }
  }
  producer->Flush(20s);
  EXPECT_EQ(Read(*Reader(), values.size()), values);
}

TEST_P(BusContract, WhatIsAcknowledgedIsCountedFromTheFirstRecordOnOverAllPartitions) {
  const auto producer = bus_->MakeProducer({});
  EXPECT_EQ(producer->acknowledged(), 0u);
  std::uint64_t sent = 0;
  std::uint64_t before = 0;
  for (; sent < 2000; ++sent) {
    producer->Send(Record(std::string(1 + sent % 7 * 500, 'x'), sent % 3 == 0 ? 0 : 1));
    const std::uint64_t acknowledged = producer->acknowledged();
    ASSERT_GE(acknowledged, before) << "it went back";
    ASSERT_LE(acknowledged, sent + 1);
    before = acknowledged;
  }
  Until([&] { return producer->acknowledged() == sent; }, [] {});
  EXPECT_EQ(producer->queued(), 0u);
}

TEST_P(BusContract, ATriedRecordForAMissingTopicIsNamedWithTheRemedy) {
  const auto producer = bus_->MakeProducer({});
  OutRecord record{.to = {Unique("missing"), 0}, .value = "v"};
  const auto error = ErrorOf([&] { producer->TrySend(record); });
  EXPECT_EQ(error.kind(), BusError::Kind::kMissingTopic);
  EXPECT_EQ(record.value, "v");
  EXPECT_EQ(producer->acknowledged(), 0u);
}

TEST_P(BusContract, TryingIsNotForTransactions) {
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  OutRecord record = Record("v");
  EXPECT_THROW(producer->TrySend(record), std::logic_error);
}

TEST_P(BusContract, ARecordOfTenMebibytesPasses) {
  const std::string value(10 << 20, 'x');
  Produce({"before", value, "after"});
  EXPECT_EQ(Read(*Reader(), 3), (std::vector<std::string>{"before", value, "after"}));
}

TEST_P(BusContract, RecordsOfAnOpenTransactionAreHiddenUntilItCommits) {
  const auto producer = Transactional(Unique("tx"));
  const auto reader = Reader();
  producer->Begin();
  producer->Send(Record("in the transaction"));
  producer->Flush(20s);
  Produce({"outside"});
  EXPECT_EQ(reader->EndOffset({topic_, 0}), 0) << "nothing is readable past an open transaction";
  EXPECT_THAT(ReadToEnd(*reader), IsEmpty());
  producer->Commit();
  EXPECT_THAT(Read(*reader, 2), testing::UnorderedElementsAre("in the transaction", "outside"));
}

TEST_P(BusContract, RecordsOfAnAbortedTransactionAreNeverSeen) {
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  producer->Send(Record("aborted"));
  producer->Abort();
  producer->Begin();
  producer->Send(Record("committed"));
  producer->Commit();
  const auto reader = Reader();
  // A commit returns before its marker stands in every partition, so the end may still move.
  EXPECT_THAT(Read(*reader, 1), ElementsAre("committed"));
  EXPECT_THAT(ReadToEnd(*reader), IsEmpty());
}

TEST_P(BusContract, ATransactionSpansPartitionsAndTopics) {
  const std::string other = MakeTopic(1);
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  producer->Send(Record("a", 0));
  producer->Send(Record("b", 1));
  producer->Send({.to = {other, 0}, .key = "k", .value = "c"});
  producer->Commit();
  const auto consumer = bus_->MakeConsumer({});
  consumer->Assign({{{topic_, 0}, kNoOffset, ""}, {{topic_, 1}, kNoOffset, ""}, {{other, 0}, kNoOffset, ""}});
  EXPECT_THAT(Read(*consumer, 3), testing::UnorderedElementsAre("a", "b", "c"));
}

TEST_P(BusContract, AnEmptyTransactionCommits) {
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  producer->Commit();
  producer->Begin();
  producer->Abort();
}

TEST_P(BusContract, CommittedPositionsComeBackOnAssignmentWithTheirMetadata) {
  const std::string group = Unique("group");
  Produce({"0", "1", "2"});
  {
    Listener listener;
    const auto consumer = bus_->MakeConsumer({group});
    consumer->Subscribe({topic_}, listener);
    Read(*consumer, 3);
    EXPECT_THAT(listener.held,
                ElementsAre(Position{{topic_, 0}, kNoOffset, ""}, Position{{topic_, 1}, kNoOffset, ""}));
    const auto producer = Transactional(Unique("tx"));
    producer->Begin();
    producer->Commit({{{topic_, 0}, 2, "{\"behind\": \"ü\"}"}}, *consumer->Token());
    consumer->Close();
    EXPECT_EQ(listener.revocations, 1);
  }
  Listener listener;
  const auto consumer = bus_->MakeConsumer({group});
  consumer->Subscribe({topic_}, listener);
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("2"));
  EXPECT_THAT(listener.held, ElementsAre(Position{{topic_, 0}, 2, "{\"behind\": \"ü\"}"},
                                         Position{{topic_, 1}, kNoOffset, ""}));
  consumer->Close();
}

TEST_P(BusContract, AListenerMayChangeWhereReadingBegins) {
  struct FromTheStart : Listener {
    void OnAssigned(std::vector<Position>& partitions) override {
      for (Position& position : partitions) position.offset = kNoOffset;
      Listener::OnAssigned(partitions);
    }
  };
  const std::string group = Unique("group");
  Produce({"0", "1", "2"});
  Commit(group, 2);
  FromTheStart listener;
  const auto consumer = bus_->MakeConsumer({group});
  consumer->Subscribe({topic_}, listener);
  EXPECT_THAT(Read(*consumer, 3), ElementsAre("0", "1", "2"));
  consumer->Close();
}

TEST_P(BusContract, DeletedPositionsAreNoneForTheNextMember) {
  const std::string group = Unique("group");
  const auto admin = bus_->MakeAdmin();
  EXPECT_FALSE(admin->DeletePositions(group, {{topic_, 0}, {topic_, 1}})) << "there is no such group yet";
  Produce({"0", "1", "2"});
  Commit(group, 2);
  EXPECT_TRUE(admin->DeletePositions(group, {{topic_, 0}, {topic_, 1}}));
  Listener listener;
  const auto consumer = bus_->MakeConsumer({group});
  consumer->Subscribe({topic_}, listener);
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("0"));
  EXPECT_EQ(listener.held[0].offset, kNoOffset);
  const auto error = ErrorOf([&] { admin->DeletePositions(group, {{topic_, 0}}); });
  EXPECT_EQ(error.kind(), BusError::Kind::kFatal);
  EXPECT_THAT(error.what(),
              HasSubstr("group " + group + " is reading " + topic_ + "; stop its services first"));
  consumer->Close();
}

TEST_P(BusContract, PositionsInOtherTopicsAreNotDeleted) {
  const std::string group = Unique("group");
  const std::string other = MakeTopic(1);
  Produce({"0", "1", "2"});
  Commit(group, 2);
  EXPECT_TRUE(bus_->MakeAdmin()->DeletePositions(group, {{other, 0}}));
  Listener listener;
  const auto consumer = bus_->MakeConsumer({group});
  consumer->Subscribe({topic_}, listener);
  AwaitAssignment(*consumer, listener);
  EXPECT_EQ(listener.held[0].offset, 2);
  consumer->Close();
}

TEST_P(BusContract, AnAbortedTransactionLeavesThePositionsAsTheyWereAndRewindDeliversAgain) {
  Produce({"0", "1", "2", "3"});
  Listener listener;
  const auto consumer = bus_->MakeConsumer({Unique("group")});
  consumer->Subscribe({topic_}, listener);
  const auto producer = Transactional(Unique("tx"));
  EXPECT_THAT(Read(*consumer, 2), ElementsAre("0", "1"));
  producer->Begin();
  producer->Send(Record("out", 1));
  producer->Commit({{{topic_, 0}, 2, "two"}}, *consumer->Token());
  producer->Begin();
  producer->Abort();
  for (int i = 0; i < 3; ++i) {
    consumer->Rewind();
    EXPECT_EQ(listener.revocations, i + 1);
    EXPECT_EQ(listener.held[0], (Position{{topic_, 0}, 2, "two"}));
    std::vector<std::string> values;
    for (const auto& record : ReadRecords(*consumer, 3)) {
      if (record.from.partition == 0) values.push_back(record.value);
    }
    EXPECT_THAT(values, ElementsAre("2", "3"));
  }
  consumer->Close();
}

TEST_P(BusContract, TwoMembersShareThePartitionsAndOneTakesOverWhatTheOtherLeaves) {
  const std::string group = Unique("group");
  Listener first, second;
  const auto one = bus_->MakeConsumer({group});
  const auto two = bus_->MakeConsumer({group});
  one->Subscribe({topic_}, first);
  AwaitAssignment(*one, first);
  EXPECT_THAT(first.held, SizeIs(2));
  two->Subscribe({topic_}, second);
  Until([&] { return first.held.size() == 1 && second.held.size() == 1; },
        [&] {
          one->Poll(50ms, 1);
          two->Poll(50ms, 1);
        });
  EXPECT_NE(first.held[0].at, second.held[0].at);
  EXPECT_EQ(first.revocations, 1);
  one->Close();
  EXPECT_THAT(first.held, IsEmpty());
  Until([&] { return second.held.size() == 2; }, [&] { two->Poll(50ms, 1); });
  two->Close();
}

TEST_P(BusContract, AMemberWithoutPartitionsIsNotTroubled) {
  const std::string group = Unique("group");
  const std::string topic = MakeTopic(1);
  Listener first, second;
  const auto one = bus_->MakeConsumer({group});
  const auto two = bus_->MakeConsumer({group});
  one->Subscribe({topic}, first);
  AwaitAssignment(*one, first);
  two->Subscribe({topic}, second);
  Until([&] { return first.assignments + second.assignments == 2; },
        [&] {
          one->Poll(50ms, 1);
          two->Poll(50ms, 1);
        });
  EXPECT_EQ(first.held.size() + second.held.size(), 1u);
  two->Close();
  one->Close();
  EXPECT_EQ(second.assignments, second.revocations);
}

TEST_P(BusContract, ACommitFromAMemberThatHasLeftIsAborted) {
  Listener listener;
  const std::string group = Unique("group");
  const auto consumer = bus_->MakeConsumer({group});
  consumer->Subscribe({topic_}, listener);
  AwaitAssignment(*consumer, listener);
  const auto token = consumer->Token();
  consumer->Close();
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  producer->Send(Record("lost"));
  const auto error = ErrorOf([&] { producer->Commit({{{topic_, 0}, 1, ""}}, *token); });
  EXPECT_EQ(error.kind(), BusError::Kind::kAbort) << error.what();
  producer->Abort();
  EXPECT_THAT(ReadToEnd(*Reader()), IsEmpty());
}

TEST_P(BusContract, ANewerProducerFencesTheOlderWithTheSameIdentifier) {
  const std::string id = Unique("tx");
  const auto older = Transactional(id);
  older->Begin();
  older->Send(Record("from the older"));
  older->Flush(20s);
  const auto newer = Transactional(id);
  const auto error = ErrorOf([&] { older->Commit(); });
  EXPECT_EQ(error.kind(), BusError::Kind::kFatal) << error.what();
  newer->Begin();
  newer->Send(Record("from the newer"));
  newer->Commit();
  EXPECT_THAT(ReadToEnd(*Reader()), ElementsAre("from the newer"));
}

TEST_P(BusContract, APausedPartitionGivesNothingUntilItIsResumed) {
  Produce({"a"}, 0);
  Produce({"b"}, 1);
  const auto consumer = bus_->MakeConsumer({});
  consumer->Assign({{{topic_, 0}, kNoOffset, ""}, {{topic_, 1}, kNoOffset, ""}});
  consumer->Pause({{topic_, 0}});
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("b"));
  Produce({"c"}, 1);
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("c"));
  consumer->Resume({{topic_, 0}});
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("a"));
}

TEST_P(BusContract, AnAssignmentStartsAtItsOffset) {
  Produce({"0", "1", "2"});
  const auto consumer = bus_->MakeConsumer({});
  consumer->Assign({{{topic_, 0}, 2, ""}});
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("2"));
  EXPECT_EQ(consumer->NextOffset({topic_, 0}), 3);
  consumer->Assign({{{topic_, 0}, 1, ""}});
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("1"));
}

TEST_P(BusContract, WhatWaitsIsKnownAsOfTheLastFetch) {
  Produce({"0", "1", "2"});
  Produce({"a"}, 1);
  const auto consumer = bus_->MakeConsumer({});
  consumer->Assign({{{topic_, 0}, kNoOffset, ""}, {{topic_, 1}, kNoOffset, ""}});
  std::size_t read = 0;
  for (std::uint64_t left = 4; left > 0; --left) {
    read += Read(*consumer, 1).size();
    EXPECT_LT(consumer->Unread(), left) << "a partition that was not fetched yet is not in it";
  }
  EXPECT_EQ(consumer->Unread(), 0u);
  consumer->Assign({{{topic_, 0}, 1, ""}});
  EXPECT_THAT(Read(*consumer, 1), ElementsAre("1"));
  EXPECT_EQ(consumer->Unread(), 1u);
}

TEST_P(BusContract, AMissingTopicIsNamedWithTheRemedy) {
  const std::string missing = Unique("missing");
  Listener listener;
  const auto consumer = bus_->MakeConsumer({Unique("group")});
  const auto producer = bus_->MakeProducer({});
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { consumer->Subscribe({missing}, listener); },
           [&] {
             consumer->Assign({{{missing, 0}, kNoOffset, ""}});
           },
           [&] {
             producer->Send({.to = {missing, 0}, .value = "v"});
           },
       }) {
    const auto error = ErrorOf(action);
    EXPECT_EQ(error.kind(), BusError::Kind::kMissingTopic);
    EXPECT_EQ(error.what(), "topic " + missing + " does not exist; run: flowcast topics create");
  }
  EXPECT_EQ(bus_->MakeAdmin()->PartitionCount(missing), 0) << "asking for a topic must not create it";
}

TEST_P(BusContract, APartitionThatDoesNotExistIsNamed) {
  const auto error = ErrorOf([&] { bus_->MakeProducer({})->Send(Record("v", 7)); });
  EXPECT_EQ(error.kind(), BusError::Kind::kMissingTopic);
  EXPECT_THAT(error.what(), HasSubstr(topic_ + " has no partition 7"));
}

TEST_P(BusContract, TopicsAreCreatedOnceDescribedAndDeleted) {
  const auto admin = bus_->MakeAdmin();
  EXPECT_FALSE(admin->CreateTopic({topic_, 2, 1, {}}));
  EXPECT_EQ(admin->PartitionCount(topic_), 2);
  const auto description = admin->DescribeTopic(topic_);
  ASSERT_TRUE(description.has_value());
  EXPECT_EQ(description->partitions, 2);
  EXPECT_EQ(description->settings.at("cleanup.policy"), "compact");
  EXPECT_TRUE(admin->DeleteTopic(topic_));
  EXPECT_FALSE(admin->DeleteTopic(topic_));
  EXPECT_FALSE(admin->DescribeTopic(topic_).has_value());
}

}  // namespace
}  // namespace flowcast::bus
