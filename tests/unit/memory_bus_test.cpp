// The in-memory bus: what the contract suite does not look at, above all its own knobs.
#include "libs/bus/memory_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace flowcast::bus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

BusError::Kind KindOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const BusError& error) {
    return error.kind();
  }
  ADD_FAILURE() << "no BusError was thrown";
  return BusError::Kind::kFatal;
}

struct Listener : RebalanceListener {
  void OnAssigned(std::vector<Position>& partitions) override { held = partitions; }
  void OnRevoked(const std::vector<TopicPartition>&, bool) override { held.clear(); }
  std::vector<Position> held;
};

class MemoryBusTest : public testing::Test {
 protected:
  MemoryBusTest() { bus_.MakeAdmin()->CreateTopic({"t", 4, 1, {}}); }

  static OutRecord Record(const std::string& value, std::int32_t partition = 0) {
    return {.to = {"t", partition}, .key = "k", .value = value};
  }

  base::ManualClock clock_{base::FromUnixNanoseconds(5'000'000'000)};
  MemoryBus bus_{clock_};
};

TEST_F(MemoryBusTest, WhenUnreachableEveryCallSaysSo) {
  const auto consumer = bus_.MakeConsumer({"g"});
  const auto producer = bus_.MakeProducer({});
  bus_.faults().unreachable = true;
  EXPECT_EQ(KindOf([&] { consumer->Poll(0ms, 1); }), BusError::Kind::kUnreachable);
  EXPECT_EQ(KindOf([&] { producer->Send(Record("v")); }), BusError::Kind::kUnreachable);
  EXPECT_EQ(KindOf([&] { bus_.MakeAdmin()->PartitionCount("t"); }), BusError::Kind::kUnreachable);
  bus_.faults().unreachable = false;
  producer->Send(Record("v"));
  EXPECT_THAT(bus_.Records("t"), SizeIs(1));
}

TEST_F(MemoryBusTest, WhenUnreachableTriedRecordsWaitInTheQueueUntilItIsFullAndAreDeliveredAfterwards) {
  const auto producer = bus_.MakeProducer({.queue_bytes = 4});
  bus_.faults().unreachable = true;
  OutRecord record = Record("ab", 1);
  EXPECT_TRUE(producer->TrySend(record));
  record = Record("cd", 1);
  EXPECT_TRUE(producer->TrySend(record));
  record = Record("ef", 1);
  EXPECT_FALSE(producer->TrySend(record));
  EXPECT_EQ(record.value, "ef") << "it is left as it was";
  EXPECT_EQ(producer->acknowledged(), 0u);
  bus_.faults().unreachable = false;
  EXPECT_TRUE(producer->TrySend(record));
  EXPECT_EQ(producer->acknowledged(), 3u);
  EXPECT_THAT(bus_.Records("t"), SizeIs(3));
  EXPECT_EQ(bus_.Records("t")[2].value, "ef");
}

TEST_F(MemoryBusTest, AbortsAsManyCommitsAsItIsTold) {
  const auto producer = bus_.MakeProducer({.transactional_id = "p"});
  producer->InitTransactions();
  bus_.faults().abort_next_commits = 1;
  producer->Begin();
  producer->Send(Record("lost"));
  EXPECT_EQ(KindOf([&] { producer->Commit(); }), BusError::Kind::kAbort);
  producer->Abort();
  EXPECT_THAT(bus_.Records("t"), IsEmpty());
  producer->Begin();
  producer->Send(Record("kept"));
  producer->Commit();
  ASSERT_THAT(bus_.Records("t"), SizeIs(1));
  EXPECT_EQ(bus_.Records("t")[0].value, "kept");
}

TEST_F(MemoryBusTest, RecordsCarryTheTimeOfItsClock) {
  bus_.MakeProducer({})->Send(Record("v"));
  EXPECT_EQ(bus_.Records("t")[0].produced_at, 5000ms);
}

TEST_F(MemoryBusTest, SharesPartitionsByRangeInTheOrderOfJoining) {
  Listener first, second;
  const auto one = bus_.MakeConsumer({"g"});
  const auto two = bus_.MakeConsumer({"g"});
  one->Subscribe({"t"}, first);
  one->Poll(0ms, 1);
  EXPECT_THAT(first.held, SizeIs(4));
  two->Subscribe({"t"}, second);
  two->Poll(0ms, 1);
  EXPECT_THAT(second.held, IsEmpty()) << "the first member has not given up yet";
  one->Poll(0ms, 1);
  two->Poll(0ms, 1);
  EXPECT_THAT(first.held, ElementsAre(Position{{"t", 0}, kNoOffset, ""}, Position{{"t", 1}, kNoOffset, ""}));
  EXPECT_THAT(second.held, ElementsAre(Position{{"t", 2}, kNoOffset, ""}, Position{{"t", 3}, kNoOffset, ""}));
}

TEST_F(MemoryBusTest, ABusyPartitionDoesNotStarveTheOthers) {
  const auto producer = bus_.MakeProducer({});
  for (int i = 0; i < 10; ++i) producer->Send(Record("busy", 0));
  producer->Send(Record("rare", 3));
  const auto consumer = bus_.MakeConsumer({});
  consumer->Assign({{{"t", 0}, kNoOffset, ""}, {{"t", 3}, kNoOffset, ""}});
  EXPECT_EQ(consumer->Poll(0ms, 1)[0].value, "busy");
  EXPECT_EQ(consumer->Poll(0ms, 1)[0].value, "rare");
  EXPECT_EQ(consumer->Poll(0ms, 1)[0].value, "busy");
}

TEST_F(MemoryBusTest, ACommitWithATokenFromBeforeARebalanceIsAborted) {
  Listener first, second;
  const auto one = bus_.MakeConsumer({"g"});
  const auto two = bus_.MakeConsumer({"g"});
  const auto producer = bus_.MakeProducer({.transactional_id = "p"});
  one->Subscribe({"t"}, first);
  one->Poll(0ms, 1);
  producer->InitTransactions();
  producer->Begin();
  two->Subscribe({"t"}, second);
  EXPECT_EQ(KindOf([&] { producer->Commit({{{"t", 0}, 1, ""}}, *one->Token()); }), BusError::Kind::kAbort);
  EXPECT_THAT(bus_.Committed("g"), IsEmpty());
}

TEST_F(MemoryBusTest, ManyThreadsMayProduceAtOnce) {
  std::vector<std::thread> threads;
  for (std::int32_t partition = 0; partition < 4; ++partition) {
    threads.emplace_back([this, partition] {
      const auto producer = bus_.MakeProducer({});
      for (int i = 0; i < 500; ++i) producer->Send(Record(std::to_string(i), partition));
    });
  }
  const auto consumer = bus_.MakeConsumer({});
  consumer->Assign({{{"t", 0}, kNoOffset, ""}});
  std::size_t seen = 0;
  while (seen < 500) seen += consumer->Poll(0ms, 100).size();
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(bus_.Records("t"), SizeIs(2000));
}

}  // namespace
}  // namespace flowcast::bus
