// What every bus must do, over the in-memory bus and over a real Kafka (FLOWCAST_TEST_BROKERS).
#include "tests/support/bus_contract.h"

namespace flowcast::bus {
namespace {

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
  EXPECT_EQ(producer->acknowledged(), 3u);
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

TEST_P(BusContract, AssignedAgainAndAgainItReadsFromTheLastOffset) {
  Produce({"0", "1", "2"});
  const auto consumer = bus_->MakeConsumer({});
  for (int i = 0; i < 100; ++i) {
    consumer->Assign({{{topic_, 0}, 0, ""}, {{topic_, 1}, kNoOffset, ""}});
    if (i % 10 == 0) Read(*consumer, 1);
  }
  consumer->Assign({{{topic_, 0}, 1, ""}});
  EXPECT_THAT(Read(*consumer, 2), ElementsAre("1", "2"));
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
