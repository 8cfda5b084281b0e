// Deliveries over the in-memory bus and a journal on disk: outages, bounds, kills, and sums that hold.
#include "libs/delivery/live_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/random.h"
#include "libs/bus/memory_bus.h"
#include "libs/delivery/waiting_delivery.h"
#include "tests/support/journals.h"
#include "tests/support/services.h"

namespace flowcast::delivery {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class DeliveryTest : public spool::JournalTest {
 protected:
  DeliveryTest() { bus_.MakeAdmin()->CreateTopic({"packets", 2, 1, {}}); }
  ~DeliveryTest() override { Kill(); }

  void StartWithout() {
    producer_ = bus_.MakeProducer({.queue_bytes = queue_bytes_});
    live_ = std::make_unique<LiveDelivery>(
        LiveDelivery::Parts{*producer_, journal_.get(), clock_, lines_.log()}, "packets");
  }
  void Start() {
    Open();
    StartWithout();
  }
  /// As by SIGKILL: what only the producer's queue has is gone.
  void Kill() {
    live_.reset();
    producer_.reset();
    journal_.reset();
  }
  void Send(const std::string& value, std::int32_t partition = 0) {
    live_->Send(partition, value, value.size());
    live_->Pump();
    ExpectSum();
  }
  void Send(int from, int to) {
    for (int i = from; i < to; ++i) Send(Value(i));
  }
  /// So that some hundred records fill the queue.
  static std::string Value(int i) { return "value " + std::to_string(i); }
  static std::vector<std::string> Values(int from, int to) {
    std::vector<std::string> values;
    for (int i = from; i < to; ++i) values.push_back(Value(i));
    return values;
  }
  void ExpectSum() const {
    const Counters counters = live_->counters();
    EXPECT_EQ(counters.sent, counters.acknowledged + counters.waiting + counters.dropped_by_queue +
                                 counters.dropped_by_spool);
  }
  std::vector<std::string> Delivered(std::int32_t partition = 0) const {
    std::vector<std::string> values;
    for (const bus::InRecord& record : bus_.Records("packets")) {
      if (record.from.partition == partition) values.push_back(record.value);
    }
    return values;
  }
  std::uint64_t PacketsDelivered() const {
    std::uint64_t packets = 0;
    for (const bus::InRecord& record : bus_.Records("packets")) packets += record.value.size();
    return packets;
  }
  void Cut() { bus_.faults().unreachable = true; }
  void Restore() { bus_.faults().unreachable = false; }

  std::size_t queue_bytes_ = 1000;
  base::ManualClock clock_;
  bus::MemoryBus bus_;
  std::unique_ptr<bus::Producer> producer_;
  std::unique_ptr<LiveDelivery> live_;
  support::Lines lines_;
};

TEST_F(DeliveryTest, WhileTheBusKeepsUpBatchesPassAndTheJournalIsReleased) {
  Start();
  Send(0, 500);
  Send("other", 1);
  EXPECT_EQ(Delivered(), Values(0, 500));
  EXPECT_THAT(Delivered(1), ElementsAre("other"));
  EXPECT_EQ(live_->counters().acknowledged, PacketsDelivered());
  EXPECT_TRUE(live_->Finish());
  EXPECT_LT(journal_->bytes(), options_.segment_bytes);
  Kill();
  EXPECT_THAT(Segments(), IsEmpty());
  EXPECT_THAT(lines_.lines, IsEmpty());
}

TEST_F(DeliveryTest, WhileTheBusIsAwayBatchesWaitOnDiskAndComeInOrderAfterwards) {
  Start();
  Send(0, 10);
  Cut();
  Send(10, 1000);
  EXPECT_EQ(Delivered(), Values(0, 10));
  EXPECT_EQ(live_->counters().dropped_by_spool, 0u);
  EXPECT_TRUE(lines_.Contain("batches wait in the spool")) << "said once";
  EXPECT_THAT(lines_.lines, SizeIs(1));
  Restore();
  Send(1000, 1100);
  EXPECT_TRUE(live_->Finish());
  EXPECT_EQ(Delivered(), Values(0, 1100));
  EXPECT_EQ(live_->counters().acknowledged, PacketsDelivered());
  EXPECT_TRUE(lines_.Contain("the spool has caught up with Kafka"));
}

TEST_F(DeliveryTest, PastTheBoundWholeBatchesAreDroppedAndCounted) {
  options_.max_bytes = 20'000;
  Start();
  Cut();
  Send(0, 1000);
  Restore();
  live_->Pump();
  Send(1000, 1010);
  EXPECT_TRUE(live_->Finish());
  const Counters counters = live_->counters();
  EXPECT_GT(counters.dropped_by_spool, 0u);
  EXPECT_EQ(counters.dropped_by_queue, 0u);
  EXPECT_EQ(counters.waiting, 0u);
  EXPECT_EQ(counters.sent, PacketsDelivered() + counters.dropped_by_spool);
  std::vector<std::string> delivered = Delivered();
  const auto kept = static_cast<int>(delivered.size()) - 10;
  std::vector<std::string> expected = Values(0, kept);
  for (const std::string& value : Values(1000, 1010)) expected.push_back(value);
  EXPECT_EQ(delivered, expected) << "the oldest are kept, then what came when there was room again";
  EXPECT_TRUE(lines_.Contain("packets are dropped: the bound of"));
}

TEST_F(DeliveryTest, WithoutASpoolWhatTheQueueDoesNotTakeIsDroppedAndCounted) {
  StartWithout();
  Cut();
  Send(0, 200);
  Restore();
  Send(200, 210);
  EXPECT_TRUE(live_->Finish());
  const Counters counters = live_->counters();
  EXPECT_GT(counters.dropped_by_queue, 0u);
  EXPECT_EQ(counters.dropped_by_spool, 0u);
  EXPECT_EQ(counters.sent, PacketsDelivered() + counters.dropped_by_queue);
  EXPECT_TRUE(lines_.Contain("there is no spool"));
}

TEST_F(DeliveryTest, WithoutASpoolWhatIsQueuedAtTheEndIsDropped) {
  StartWithout();
  Cut();
  Send(0, 10);
  const base::Duration began = clock_.Steady();
  EXPECT_TRUE(live_->Finish()) << "nothing waits for a next run";
  EXPECT_EQ(live_->counters().dropped_by_queue, live_->counters().sent);
  EXPECT_LT(clock_.Steady() - began, 6s);
  ExpectSum();
}

TEST_F(DeliveryTest, AtTheEndWhatCannotBeSentStaysForTheNextRun) {
  Start();
  Cut();
  Send(0, 300);
  const base::Duration began = clock_.Steady();
  EXPECT_FALSE(live_->Finish());
  EXPECT_LT(clock_.Steady() - began, 6s);
  EXPECT_EQ(live_->counters().waiting, live_->counters().sent);
  ExpectSum();
  Kill();
  Restore();
  Start();
  EXPECT_GT(live_->counters().inherited, 0u);
  Send(300, 310);
  EXPECT_TRUE(live_->Finish());
  EXPECT_EQ(Delivered(), Values(0, 310));
  EXPECT_EQ(live_->counters().inherited, 0u);
  EXPECT_EQ(live_->counters().sent, live_->counters().acknowledged);
}

TEST_F(DeliveryTest, ARunThatIsKilledLosesNothingThatItWasGiven) {
  Start();
  Send(0, 5);
  Cut();
  Send(5, 100);
  Kill();
  Start();
  Send(100, 200);
  Kill();
  Restore();
  Start();
  Send(200, 210);
  EXPECT_TRUE(live_->Finish());
  EXPECT_EQ(Delivered(), Values(0, 210));
}

TEST_F(DeliveryTest, ADiskThatTakesNothingCostsNothingWhileTheBusKeepsUp) {
  options_.max_bytes = 10;
  Start();
  Send(0, 100);
  EXPECT_TRUE(live_->Finish());
  EXPECT_EQ(Delivered(), Values(0, 100));
  Cut();
  Send(100, 101);
  EXPECT_TRUE(live_->Finish());
  EXPECT_EQ(live_->counters().dropped_by_spool, Value(100).size()) << "only the queue had it";
  ExpectSum();
}

TEST_F(DeliveryTest, WhatTheDiskLosesWhileItWaitsIsCountedAsDroppedByTheSpool) {
  Start();
  Cut();
  Send(0, 400);
  ASSERT_GT(Segments().size(), 3u);
  Overwrite(Segments()[2], 100, std::string(1500, '!'));
  Restore();
  EXPECT_TRUE(live_->Finish());
  const Counters counters = live_->counters();
  EXPECT_GT(counters.dropped_by_spool, 0u);
  EXPECT_EQ(counters.sent, PacketsDelivered() + counters.dropped_by_spool);
  EXPECT_TRUE(lines_.Contain("caught up"));
}

TEST_F(DeliveryTest, ABusThatIsJustTooSlowIsSaidAtALimitedRate) {
  Start();
  int sent = 0;
  for (int i = 0; i < 100; ++i) {
    Cut();
    Send(sent, sent + 200);
    sent += 200;
    Restore();
    live_->Pump();
    live_->Pump();
    clock_.Advance(1s);
  }
  EXPECT_EQ(Delivered(), Values(0, sent));
  EXPECT_LE(lines_.lines.size(), 22u);
  EXPECT_GE(lines_.lines.size(), 18u);
}

TEST_F(DeliveryTest, NewBatchesDoNotWaitUntilALargeBacklogIsSent) {
  options_.max_bytes = 64 << 20;
  options_.segment_bytes = 1 << 20;
  queue_bytes_ = 2 << 20;
  Start();
  Cut();
  for (int i = 0; i < 40; ++i) Send(std::string(1 << 20, 'x'));
  Restore();
  const auto before = Delivered().size();
  live_->Pump();
  EXPECT_GT(Delivered().size(), before);
  EXPECT_LT(Delivered().size(), before + 10);
}

TEST_F(DeliveryTest, AMissingTopicEndsIt) {
  Start();
  bus_.MakeAdmin()->DeleteTopic("packets");
  EXPECT_THROW(live_->Send(0, "x", 1), bus::BusError);
}

TEST_F(DeliveryTest, WhateverIsCutAndKilledEachPartitionGetsAllInOrder) {
  base::Random random(5);
  for (int round = 0; round < 20; ++round) {
    bus_.MakeAdmin()->DeleteTopic("packets");
    bus_.MakeAdmin()->CreateTopic({"packets", 2, 1, {}});
    Restore();
    Start();
    int count = 0;
    for (auto events = 20 + random.Below(40); events > 0; --events) {
      switch (random.Below(4)) {
        case 0:
          Cut();
          break;
        case 1:
          Restore();
          break;
        case 2:
          Kill(), Start();
          break;
        default:
          break;
      }
      for (auto batches = random.Below(100); batches > 0; --batches, ++count) Send(Value(count), count % 2);
    }
    Restore();
    ASSERT_TRUE(live_->Finish());
    Kill();
    for (int partition = 0; partition < 2; ++partition) {
      std::vector<std::string> expected;
      for (int i = partition; i < count; i += 2) expected.push_back(Value(i));
      EXPECT_EQ(Delivered(partition), expected) << "round " << round;
    }
  }
}

// Files.

class WaitingDeliveryTest : public testing::Test {
 protected:
  WaitingDeliveryTest() { bus_.MakeAdmin()->CreateTopic({"packets", 1, 1, {}}); }

  /// Asked for whenever the delivery waits: the bus comes back or a stop is asked for after so many times.
  bool OnWait() {
    ++waits_;
    if (waits_ == restore_after_) bus_.faults().unreachable = false;
    return stop_after_ > 0 && waits_ >= stop_after_;
  }
  std::vector<std::string> Delivered() const {
    std::vector<std::string> values;
    for (const bus::InRecord& record : bus_.Records("packets")) values.push_back(record.value);
    return values;
  }

  base::ManualClock clock_;
  bus::MemoryBus bus_;
  std::unique_ptr<bus::Producer> producer_ = bus_.MakeProducer({.queue_bytes = 5});
  WaitingDelivery delivery_{{*producer_, clock_, [this] { return OnWait(); }}, "packets"};
  int waits_ = 0;
  int restore_after_ = 0;
  int stop_after_ = 0;
};

TEST_F(WaitingDeliveryTest, SendWaitsUntilTheBusIsBack) {
  bus_.faults().unreachable = true;
  restore_after_ = 1000;
  for (const char* value : {"aaa", "bbb", "ccc"}) delivery_.Send(0, value, 3);
  EXPECT_TRUE(delivery_.Finish());
  EXPECT_THAT(Delivered(), ElementsAre("aaa", "bbb", "ccc"));
  EXPECT_EQ(delivery_.counters().acknowledged, 9u);
  EXPECT_EQ(delivery_.counters().waiting, 0u);
}

TEST_F(WaitingDeliveryTest, FinishWaitsUntilTheBusIsBack) {
  bus_.faults().unreachable = true;
  restore_after_ = 5000;
  delivery_.Send(0, "aaa", 3);
  EXPECT_TRUE(delivery_.Finish());
  EXPECT_THAT(Delivered(), ElementsAre("aaa"));
}

TEST_F(WaitingDeliveryTest, AStopEndsTheWaitAndNothingIsSentBehindAGap) {
  bus_.faults().unreachable = true;
  stop_after_ = 10;
  delivery_.Send(0, "aaa", 3);
  delivery_.Send(0, "bbb", 3);  // gives up
  bus_.faults().unreachable = false;
  delivery_.Send(0, "ccc", 3);
  EXPECT_FALSE(delivery_.Finish());
  EXPECT_THAT(Delivered(), ElementsAre("aaa"));
  EXPECT_EQ(delivery_.counters().acknowledged, 3u);
  EXPECT_EQ(delivery_.counters().waiting, 6u);
  EXPECT_EQ(delivery_.counters().sent, 9u);
}

TEST_F(WaitingDeliveryTest, AfterAStopFinishWaitsSomeSecondsOnly) {
  bus_.faults().unreachable = true;
  stop_after_ = 1;
  delivery_.Send(0, "aaa", 3);
  const base::Duration began = clock_.Steady();
  EXPECT_FALSE(delivery_.Finish());
  EXPECT_GE(clock_.Steady() - began, 5s);
  EXPECT_LT(clock_.Steady() - began, 6s);
}

}  // namespace
}  // namespace flowcast::delivery
