// The Kafka bus alone: configuration, a broker that is away, and faults injected by librdkafka's
// mock cluster (which knows no transactions).
#include "libs/kafka/kafka_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <functional>
#include <mutex>

#include "libs/base/clock.h"
#include "libs/base/error.h"

namespace flowcast::kafka {
namespace {

using namespace std::chrono_literals;
using bus::BusError;
using bus::kNoOffset;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ConfigErrorOf(std::map<std::string, std::string> properties) {
  try {
    Connect({.properties = std::move(properties)});
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(KafkaProperties, AnUnknownOneIsNamed) {
  EXPECT_THAT(ConfigErrorOf({{"no.such.thing", "1"}}), HasSubstr("\"no.such.thing\""));
}

TEST(KafkaProperties, AWrongValueIsNamed) {
  EXPECT_THAT(ConfigErrorOf({{"linger.ms", "soon"}}), HasSubstr("\"linger.ms\""));
}

TEST(KafkaProperties, ThoseTheGuaranteesRestOnAreRefused) {
  for (const char* name :
       {"isolation.level", "message.timeout.ms", "delivery.timeout.ms", "auto.offset.reset"}) {
    EXPECT_THAT(ConfigErrorOf({{name, "1000"}}), HasSubstr("set by flowcast itself")) << name;
  }
}

TEST(KafkaProperties, OnesForProducersDoNotDisturbConsumers) {
  std::vector<std::string> lines;
  std::mutex mutex;
  const auto bus = Connect({.brokers = "127.0.0.1:1",
                            .properties = {{"linger.ms", "5"}, {"fetch.wait.max.ms", "10"}},
                            .log = [&](int, const std::string& line) {
                              const std::lock_guard lock(mutex);
                              lines.push_back(line);
                            }});
  bus->MakeConsumer({"g"});
  bus->MakeProducer({});
  const std::lock_guard lock(mutex);
  for (const std::string& line : lines) EXPECT_THAT(line, testing::Not(HasSubstr("CONFWARN")));
}

class UnreachableKafka : public testing::Test {
 protected:
  void ExpectUnreachable(const std::function<void(bus::Bus&)>& action) {
    int wait_lines = 0;
    std::mutex mutex;
    const auto bus =
        Connect({.brokers = "127.0.0.1:1", .timeout = 1s, .log = [&](int, const std::string& line) {
                   const std::lock_guard lock(mutex);
                   wait_lines += line == "waiting for Kafka at 127.0.0.1:1: Connection refused" ? 1 : 0;
                 }});
    base::SystemClock clock;
    const auto began = clock.Steady();
    try {
      action(*bus);
      ADD_FAILURE() << "no BusError was thrown";
    } catch (const BusError& error) {
      EXPECT_EQ(error.kind(), BusError::Kind::kUnreachable);
      EXPECT_STREQ(
          error.what(),
          "no answer from Kafka at 127.0.0.1:1 within 1s (Connection refused); check that it runs and that "
          "--brokers names it");
    }
    EXPECT_GE(clock.Steady() - began, 900ms);
    EXPECT_LT(clock.Steady() - began, 5s);
    const std::lock_guard lock(mutex);
    EXPECT_EQ(wait_lines, 1) << "the log is told, at a limited rate";
  }
};

struct Listener : bus::RebalanceListener {
  void OnAssigned(std::vector<bus::Position>& partitions) override { held = partitions; }
  void OnRevoked(const std::vector<bus::TopicPartition>&, bool) override { held.clear(); }
  std::vector<bus::Position> held;
};

TEST_F(UnreachableKafka, IsReportedByAdmin) {
  ExpectUnreachable([](bus::Bus& bus) { bus.MakeAdmin()->PartitionCount("t"); });
  ExpectUnreachable([](bus::Bus& bus) { bus.MakeAdmin()->CreateTopic({"t", 1, 1, {}}); });
}

TEST_F(UnreachableKafka, IsReportedBySubscribe) {
  Listener listener;
  ExpectUnreachable([&](bus::Bus& bus) { bus.MakeConsumer({"g"})->Subscribe({"t"}, listener); });
}

TEST_F(UnreachableKafka, IsReportedBySend) {
  ExpectUnreachable([](bus::Bus& bus) { bus.MakeProducer({})->Send({.to = {"t", 0}, .value = "v"}); });
}

TEST_F(UnreachableKafka, IsReportedByInitTransactions) {
  ExpectUnreachable([](bus::Bus& bus) { bus.MakeProducer({.transactional_id = "x"})->InitTransactions(); });
}

class MockKafka : public testing::Test {
 protected:
  void SetUp() override {
    char text[256];
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
    ASSERT_NE(owner_, nullptr) << text;
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
    rd_kafka_mock_topic_create(cluster_, "t", 1, 1);
  }
  void TearDown() override {
    if (cluster_ != nullptr) rd_kafka_mock_cluster_destroy(cluster_);
    if (owner_ != nullptr) rd_kafka_destroy(owner_);
  }
  std::unique_ptr<bus::Bus> Bus(std::map<std::string, std::string> properties = {},
                                std::chrono::milliseconds timeout = 20s) {
    return Connect({.brokers = rd_kafka_mock_cluster_bootstraps(cluster_),
                    .properties = std::move(properties),
                    .timeout = timeout,
                    .log = [this](int, const std::string& line) {
                      const std::lock_guard lock(mutex_);
                      log_ += line + "\n";
                    }});
  }
  static void Send(bus::Producer& producer, int from, int to) {
    for (int i = from; i < to; ++i) {
      producer.Send({.to = {"t", 0}, .value = std::to_string(i), .headers = {{"n", std::to_string(i)}}});
    }
  }
  bool IsLogged(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return log_.find(text) != std::string::npos;
  }
  static std::vector<std::string> Read(bus::Bus& bus, std::size_t count) {
    const auto consumer = bus.MakeConsumer({});
    consumer->Assign({{{"t", 0}, kNoOffset, ""}});
    std::vector<std::string> values;
    base::SystemClock clock;
    const auto deadline = clock.Steady() + 30s;
    while (values.size() < count && clock.Steady() < deadline) {
      for (const auto& record : consumer->Poll(100ms, 1000)) values.push_back(record.value);
    }
    return values;
  }
  static std::vector<std::string> Numbers(int count) {
    std::vector<std::string> values;
    for (int i = 0; i < count; ++i) values.push_back(std::to_string(i));
    return values;
  }
  void Down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void Up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

  std::mutex mutex_;
  std::string log_;
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

constexpr std::int16_t kProduceRequest = 0;

TEST_F(MockKafka, AFullQueueWaitsAndLosesNothing) {
  const auto bus = Bus({{"queue.buffering.max.messages", "10"}});
  const auto producer = bus->MakeProducer({});
  Send(*producer, 0, 2000);
  producer->Flush(20s);
  EXPECT_EQ(Read(*bus, 2000), Numbers(2000));
}

TEST_F(MockKafka, AFullQueueIsReportedWhenNothingMoves) {
  const auto bus = Bus({{"queue.buffering.max.messages", "10"}});
  const auto producer = bus->MakeProducer({.send_timeout = 500ms});
  Send(*producer, 0, 1);
  producer->Flush(20s);
  Down();
  EXPECT_THROW(Send(*producer, 1, 100), BusError);
  EXPECT_EQ(producer->acknowledged(), 1u);
  Up();
  producer->Flush(20s);
  EXPECT_EQ(Read(*bus, 11), Numbers(11));
}

TEST_F(MockKafka, WhatIsQueuedSurvivesABrokerThatIsAway) {
  const auto bus = Bus();
  const auto producer = bus->MakeProducer({});
  Send(*producer, 0, 10);
  producer->Flush(20s);
  Down();
  Send(*producer, 10, 1000);
  EXPECT_THROW(producer->Flush(1s), BusError);
  EXPECT_EQ(producer->acknowledged(), 10u);
  Up();
  producer->Flush(20s);
  EXPECT_EQ(Read(*bus, 1000), Numbers(1000));
}

TEST_F(MockKafka, AProducerThatLibrdkafkaBreaksGoesOnWithAllRecordsInOrder) {
  const auto bus = Bus();
  const auto producer = bus->MakeProducer({});
  Send(*producer, 0, 10);
  producer->Flush(20s);
  rd_kafka_mock_push_request_errors(cluster_, kProduceRequest, 1,
                                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  Send(*producer, 10, 1000);
  producer->Flush(20s);
  EXPECT_EQ(Read(*bus, 1000), Numbers(1000));
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, HasSubstr("records are sent again"));
  EXPECT_EQ(producer->acknowledged(), 1000u);
}

TEST_F(MockKafka, AProducerThatBreaksWhileTheBrokerIsAwayKeepsItsRecordsAndDoesNotWait) {
  const auto bus = Bus();
  const auto producer = bus->MakeProducer({.linger = 50ms});  // one request
  Send(*producer, 0, 10);
  producer->Flush(20s);
  rd_kafka_mock_push_request_errors(cluster_, kProduceRequest, 1,
                                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
  Send(*producer, 10, 500);
  base::SystemClock clock;
  const auto deadline = clock.Steady() + 10s;
  while (!IsLogged("FATAL") && clock.Steady() < deadline) clock.SleepFor(1ms);
  Down();
  const auto began = clock.Steady();
  bus::OutRecord record{.to = {"t", 0}, .value = "500"};
  ASSERT_TRUE(producer->TrySend(record));
  EXPECT_LT(clock.Steady() - began, 5s);
  EXPECT_TRUE(IsLogged("records are sent again"));
  EXPECT_EQ(producer->acknowledged(), 10u);
  Up();
  producer->Flush(20s);
  EXPECT_EQ(producer->acknowledged(), 501u);
  EXPECT_EQ(Read(*bus, 501), Numbers(501));
}

TEST_F(MockKafka, ARecordThatNoQueueCanHoldIsRefusedForGood) {
  const auto bus = Bus({{"queue.buffering.max.kbytes", "16"}});
  const auto producer = bus->MakeProducer({});
  Send(*producer, 0, 1);
  bus::OutRecord record{.to = {"t", 0}, .value = std::string(20'000, 'x')};
  base::SystemClock clock;
  const auto deadline = clock.Steady() + 10s;
  try {
    while (clock.Steady() < deadline) EXPECT_FALSE(producer->TrySend(record));
    FAIL() << "it is waited for for ever";
  } catch (const BusError& error) {
    EXPECT_EQ(error.kind(), BusError::Kind::kFatal);
    EXPECT_THAT(error.what(), HasSubstr("raise it"));
  }
}

TEST_F(MockKafka, ATriedRecordIsRefusedAtOnceWhenTheQueueIsFull) {
  const auto bus = Bus();
  const auto producer = bus->MakeProducer({.queue_bytes = 1 << 20});
  Send(*producer, 0, 1);
  producer->Flush(20s);
  Down();
  bus::OutRecord record{.to = {"t", 0}, .value = std::string(1 << 16, 'x')};
  base::SystemClock clock;
  const auto began = clock.Steady();
  int taken = 0;
  while (producer->TrySend(record)) ++taken;
  EXPECT_EQ(taken, 16) << "by bytes";
  EXPECT_EQ(record.value.size(), std::size_t{1} << 16);
  EXPECT_LT(clock.Steady() - began, 1s);
  EXPECT_EQ(producer->acknowledged(), 1u);
  Up();
  producer->Flush(20s);
  EXPECT_EQ(producer->acknowledged(), 17u);
  EXPECT_TRUE(producer->TrySend(record));
}

TEST_F(MockKafka, AConsumerLeavesWithinSecondsWhileTheBrokerIsAway) {
  const auto bus = Bus();
  Listener listener;
  const auto consumer = bus->MakeConsumer({"g"});
  consumer->Subscribe({"t"}, listener);
  base::SystemClock clock;
  const auto deadline = clock.Steady() + 30s;
  while (listener.held.empty() && clock.Steady() < deadline) consumer->Poll(100ms, 1);
  ASSERT_FALSE(listener.held.empty());
  Down();
  const auto began = clock.Steady();
  consumer->Close();
  EXPECT_LT(clock.Steady() - began, 5s);
  EXPECT_TRUE(listener.held.empty());
}

TEST_F(MockKafka, ARecordThatIsTooLargeIsReportedWithItsTopic) {
  const auto bus = Bus();
  const auto producer = bus->MakeProducer({});
  try {
    producer->Send({.to = {"t", 0}, .value = std::string(20 << 20, 'x')});
    FAIL() << "it was taken";
  } catch (const BusError& error) {
    EXPECT_EQ(error.kind(), BusError::Kind::kFatal);
    EXPECT_THAT(error.what(), HasSubstr("topic t"));
  }
}

TEST_F(MockKafka, AConsumerReportsABrokerThatWentAwayOnlyAfterTheTimeout) {
  const auto bus = Bus({}, 2s);
  const auto producer = bus->MakeProducer({});
  Send(*producer, 0, 1);
  producer->Flush(20s);
  const auto consumer = bus->MakeConsumer({});
  consumer->Assign({{{"t", 0}, kNoOffset, ""}});
  base::SystemClock clock;
  const auto deadline = clock.Steady() + 20s;
  while (consumer->Poll(100ms, 1).empty()) ASSERT_LT(clock.Steady(), deadline);
  Down();
  const auto began = clock.Steady();
  try {
    while (clock.Steady() < deadline) consumer->Poll(100ms, 1);
    FAIL() << "it was never reported";
  } catch (const BusError& error) {
    EXPECT_EQ(error.kind(), BusError::Kind::kUnreachable);
    EXPECT_GE(clock.Steady() - began, 1900ms);
  }
  Up();
  Send(*producer, 1, 2);
  producer->Flush(20s);
  std::vector<bus::InRecord> records;
  const auto recovery = clock.Steady() + 20s;
  while (records.empty() && clock.Steady() < recovery) {
    try {
      records = consumer->Poll(100ms, 1);
    } catch (const BusError&) {
    }
  }
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].value, "1");
}

}  // namespace
}  // namespace flowcast::kafka
