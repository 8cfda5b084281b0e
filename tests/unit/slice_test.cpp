// The slice loop over the in-memory bus: when it commits, and that a lost transaction costs
// nothing but time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "libs/bus/memory_bus.h"
#include "libs/slice/slice_loop.h"

namespace flowcast::slice {
namespace {

using namespace std::chrono_literals;
using bus::BusError;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Copies each record to "out" with a running sum that only the committed metadata carries over.
class SumTask : public Task {
 public:
  void OnAssigned(const std::vector<bus::Position>& partitions) override {
    sum_ = 0;
    for (const bus::Position& position : partitions) {
      positions_[position.at] = position;
      if (!position.metadata.empty()) sum_ = std::stoi(position.metadata);
    }
    on_assigned();
  }
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override {
    for (const bus::TopicPartition& partition : partitions) positions_.erase(partition);
    on_revoked();
  }
  bool OnRecord(const bus::InRecord& record, Outbox& outbox) override {
    sum_ += std::stoi(record.value);
    positions_[record.from] = {record.from, record.offset + 1, std::to_string(sum_)};
    outbox.push_back({.to = {"out", 0}, .value = std::to_string(sum_)});
    wants_commit = wants_commit || record.key == "now";
    on_record();
    return true;
  }
  void OnIdle(Outbox&) override {
    ++idles;
    on_idle();
  }
  bool WantsCommit(const Outbox&) const override { return wants_commit; }
  bool HasMoved() const override { return has_moved; }
  std::vector<bus::Position> Positions() const override {
    std::vector<bus::Position> positions;
    for (const auto& [partition, position] : positions_) positions.push_back(position);
    return positions;
  }

  /// As if something outside had let it go on.
  void Note(const std::string& text) {
    for (auto& [at, position] : positions_) position.metadata = text;
    has_moved = true;
  }

  bool wants_commit = false;
  bool has_moved = false;
  std::function<void()> on_record = [] {};
  std::function<void()> on_idle = [] {};
  std::function<void()> on_assigned = [] {};
  std::function<void()> on_revoked = [] {};
  int idles = 0;

 private:
  std::map<bus::TopicPartition, bus::Position> positions_;
  int sum_ = 0;
};

class SliceTest : public testing::Test {
 protected:
  SliceTest() {
    const auto admin = bus_.MakeAdmin();
    admin->CreateTopic({"in", 2, 1, {}});
    admin->CreateTopic({"out", 1, 1, {}});
    loop_.Start();
    loop_.RunOnce(0ms);
  }

  void Feed(const std::vector<int>& numbers, const std::string& key = "", std::int32_t partition = 0) {
    const auto producer = bus_.MakeProducer({});
    for (const int number : numbers) {
      producer->Send({.to = {"in", partition}, .key = key, .value = std::to_string(number)});
    }
  }
  void RunOut(SliceLoop& loop) {
    for (int i = 0; i < 20; ++i) {
      loop.RunOnce(0ms);
      clock_.Advance(100ms);
    }
  }
  /// A process that comes after this one; what it warns of.
  std::vector<std::string> RunAnother() {
    std::vector<std::string> warnings;
    const auto consumer = bus_.MakeConsumer({"g"});
    SliceLoop next(
        *consumer, *producer_, clock_, task_,
        {.topics = {"in"}, .log = [&](auto, const std::string& line) { warnings.push_back(line); }});
    next.Start();
    RunOut(next);
    return warnings;
  }
  /// A second member of the group, with a task of its own.
  struct Second {
    explicit Second(SliceTest& test)
        : consumer(test.bus_.MakeConsumer({"g"})),
          producer(test.bus_.MakeProducer({.transactional_id = "u"})),
          loop(*consumer, *producer, test.clock_, task, {.topics = {"in"}}) {
      loop.Start();
    }
    SumTask task;
    std::unique_ptr<bus::Consumer> consumer;
    std::unique_ptr<bus::Producer> producer;
    SliceLoop loop;
  };
  /// In turn, so that both find out what is theirs and do it.
  void RunBoth(Second& second, SliceLoop& first) {
    for (int i = 0; i < 3; ++i) {
      RunOut(second.loop);
      RunOut(first);
    }
  }
  /// It is behind, and has sent what it made of 1 in a transaction that is open; 2 is still to be read.
  std::unique_ptr<SliceLoop> LoopThatSentAhead() {
    auto loop = std::make_unique<SliceLoop>(*consumer_, *producer_, clock_, task_,
                                            SliceOptions{.topics = {"in"}, .poll_limit = 1, .send_at = 1});
    loop->Start();
    loop->RunOnce(0ms);
    Feed({1, 2});
    clock_.Advance(2s);
    loop->RunOnce(0ms);
    EXPECT_TRUE(loop->in_transaction());
    return loop;
  }
  std::vector<std::string> Out() const {
    std::vector<std::string> values;
    for (const auto& record : bus_.Records("out")) values.push_back(record.value);
    return values;
  }

  base::ManualClock clock_;
  bus::MemoryBus bus_{clock_};
  SumTask task_;
  std::unique_ptr<bus::Consumer> consumer_ = bus_.MakeConsumer({"g"});
  std::unique_ptr<bus::Producer> producer_ = bus_.MakeProducer({.transactional_id = "t"});
  SliceLoop loop_{*consumer_, *producer_, clock_, task_, {.topics = {"in"}}};
};

TEST_F(SliceTest, CommitsRecordsAndPositionsTogetherWhenTheSliceIsOver) {
  Feed({1, 2});
  EXPECT_EQ(loop_.RunOnce(0ms), 2u);
  clock_.Advance(249ms);
  loop_.RunOnce(0ms);
  EXPECT_THAT(Out(), IsEmpty());
  EXPECT_THAT(bus_.Committed("g"), IsEmpty());
  clock_.Advance(1ms);
  loop_.RunOnce(0ms);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 2, "3"}));
  EXPECT_EQ(loop_.counters().records_in, 2u);
  EXPECT_EQ(loop_.counters().records_out, 2u);
  EXPECT_EQ(loop_.counters().commits, 1u);
}

TEST_F(SliceTest, CommitsPositionsThatMovedThoughNothingWasRead) {
  Feed({1});
  RunOut(loop_);
  task_.Note("later");
  loop_.RunOnce(0ms);
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 1, "1"})) << "a slice is open";
  clock_.Advance(250ms);
  loop_.RunOnce(0ms);
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 1, "later"}));
  task_.Note("last");
  loop_.Stop();
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 1, "last"}));
}

TEST_F(SliceTest, ATopicThatWasMadeAnewIsReadFromItsBeginning) {
  Feed({1, 2, 3});
  RunOut(loop_);
  loop_.Stop();
  const auto admin = bus_.MakeAdmin();
  admin->DeleteTopic("in");
  admin->CreateTopic({"in", 2, 1, {}});
  Feed({10});
  const std::vector<std::string> warnings = RunAnother();
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6", "10"));
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_THAT(warnings[0], testing::HasSubstr("in partition 0: the topic was emptied or made anew since "
                                              "position 3 was committed; it is read from its beginning"));
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 1, "10"}));
}

TEST_F(SliceTest, AnEmptyTopicAtItsCommittedPositionIsNotNew) {
  Feed({1, 2, 3});
  RunOut(loop_);
  loop_.Stop();
  const std::vector<std::string> warnings = RunAnother();
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(SliceTest, CommitsAtOnceWhenTheTaskWantsIt) {
  Feed({1}, "now");
  loop_.RunOnce(0ms);
  EXPECT_THAT(Out(), ElementsAre("1"));
}

TEST_F(SliceTest, GathersWhatComesAtTheSameTime) {
  loop_.Stop();
  const auto consumer = bus_.MakeConsumer({"g"});
  SliceLoop loop(*consumer, *producer_, clock_, task_, {.topics = {"in"}, .gather = 2ms});
  loop.Start();
  loop.RunOnce(0ms);
  task_.wants_commit = true;
  Feed({1});
  loop.RunOnce(50ms);
  Feed({2});
  loop.RunOnce(50ms);
  EXPECT_THAT(Out(), IsEmpty()) << "there may be more";
  loop.RunOnce(50ms);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
  EXPECT_EQ(loop.counters().commits, 1u);
  for (int i = 0; i < 4; ++i) {
    Feed({1});
    loop.RunOnce(50ms);
    clock_.Advance(4ms);
  }
  EXPECT_THAT(Out(), SizeIs(6)) << "a stream without a pause waits no longer than 10 ms";
}

TEST_F(SliceTest, CommitsAtOnceWhenTheOutboxIsFull) {
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .outbox_limit = 2});
  loop.Start();
  Feed({1, 1, 1});
  RunOut(loop);
  EXPECT_EQ(loop.counters().commits, 2u);
  EXPECT_THAT(Out(), ElementsAre("1", "2", "3"));
}

TEST_F(SliceTest, WhileItKeepsUpALargeOutputIsCommittedInGrowingParts) {
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .live_limit = 2});
  loop.Start();
  Feed(std::vector<int>(9, 1));
  EXPECT_EQ(loop.RunOnce(0ms), 9u);
  EXPECT_THAT(Out(), SizeIs(2 + 4)) << "the last part waits for the slice's end";
  EXPECT_EQ(loop.counters().commits, 2u);
  RunOut(loop);
  EXPECT_THAT(Out(), SizeIs(9));
  Feed({1, 1});
  EXPECT_EQ(loop.RunOnce(0ms), 2u);
  EXPECT_EQ(loop.counters().commits, 4u) << "after a pause the first part is a small one again";
}

TEST_F(SliceTest, BehindItSavesItselfTheCommits) {
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .poll_limit = 5, .live_limit = 2});
  loop.Start();
  Feed(std::vector<int>(10, 1));
  clock_.Advance(1s);
  EXPECT_EQ(loop.RunOnce(0ms), 5u);
  EXPECT_EQ(loop.counters().commits, 0u);
  RunOut(loop);
  EXPECT_THAT(Out(), SizeIs(10));
}

TEST_F(SliceTest, BehindItDoesNotCommitAtOnceWhileThereIsMoreToRead) {
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .poll_limit = 2});
  loop.Start();
  loop.RunOnce(0ms);
  Feed({1, 2, 3, 4, 5}, "now");
  clock_.Advance(2s);
  EXPECT_EQ(loop.RunOnce(0ms), 2u);
  EXPECT_EQ(loop.counters().commits, 0u);
  EXPECT_EQ(loop.RunOnce(0ms), 2u);
  EXPECT_EQ(loop.counters().commits, 1u) << "hardly anything is left";
}

TEST_F(SliceTest, ItKeepsUpAlsoWhereTheHostsClockIsAheadOfTheBrokers) {
  loop_.Stop();
  base::ManualClock ahead(clock_.Now() + 5s);
  const auto consumer = bus_.MakeConsumer({"g"});
  SliceLoop loop(*consumer, *producer_, ahead, task_, {.topics = {"in"}, .poll_limit = 2, .live_limit = 1});
  loop.Start();
  loop.RunOnce(0ms);
  for (std::size_t window = 1; window <= 3; ++window) {
    ahead.Advance(1s);
    loop.RunOnce(0ms);
    Feed(std::vector<int>(4, 1), "now");
    EXPECT_EQ(loop.RunOnce(0ms), 2u);
    EXPECT_EQ(Out().size(), 4 * window - 2) << "what was read is to be seen at once";
    EXPECT_EQ(loop.RunOnce(0ms), 2u);
    EXPECT_EQ(Out().size(), 4 * window);
  }
}

TEST_F(SliceTest, AnIdleLoopCommitsNothing) {
  RunOut(loop_);
  EXPECT_EQ(loop_.counters().commits, 0u);
}

TEST_F(SliceTest, ATaskMayWorkWhenNothingIsThereToRead) {
  const int before = task_.idles;
  Feed({1});
  loop_.RunOnce(0ms);
  EXPECT_EQ(task_.idles, before);
  loop_.RunOnce(1s);
  EXPECT_EQ(task_.idles, before + 1);
}

TEST_F(SliceTest, AnAbortedSliceIsRepeatedWithNothingLostOrTwice) {
  Feed({1, 2});
  RunOut(loop_);
  Feed({3, 4});
  bus_.faults().abort_next_commits = 2;
  RunOut(loop_);
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6", "10"));
  EXPECT_EQ(loop_.counters().aborts, 2u);
  EXPECT_EQ(loop_.counters().records_out, 4u);
  EXPECT_EQ(loop_.counters().rebalances, 1u);
}

TEST_F(SliceTest, ALargeOutboxIsSentInPartsAndSeenWithTheCommit) {
  std::size_t seen = 0;
  std::uint64_t ahead = 0;
  task_.on_record = [&] {
    ahead = std::max(ahead, producer_->acknowledged());
    seen = std::max(seen, Out().size());
  };
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .send_at = 2});
  loop.Start();
  Feed({1, 1, 1, 1, 1});
  RunOut(loop);
  EXPECT_EQ(ahead, 4u) << "sent while there was more to do";
  EXPECT_EQ(seen, 0u);
  EXPECT_THAT(Out(), ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_EQ(loop.counters().commits, 1u);
  EXPECT_EQ(loop.counters().records_out, 5u);
}

TEST_F(SliceTest, ASliceSentInPartsIsRepeatedWithNothingLostOrTwice) {
  SliceLoop loop(*consumer_, *producer_, clock_, task_, {.topics = {"in"}, .send_at = 2});
  loop.Start();
  Feed({1, 2, 3});
  bus_.faults().abort_next_commits = 1;
  RunOut(loop);
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6"));
  EXPECT_EQ(loop.counters().aborts, 1u);
  task_.on_record = [&] { bus_.faults().unreachable = true; };
  Feed({4, 5, 6});
  EXPECT_THROW(loop.RunOnce(0ms), BusError);
  task_.on_record = [] {};
  bus_.faults().unreachable = false;
  RunOut(loop);
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6", "10", "15", "21"));
  EXPECT_EQ(loop.counters().records_out, 6u);
}

TEST_F(SliceTest, AfterTheBusWasUnreachableItGoesOnWithNothingLostOrTwice) {
  Feed({1});
  loop_.RunOnce(0ms);
  clock_.Advance(1s);
  bus_.faults().unreachable = true;
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  bus_.faults().unreachable = false;
  Feed({2});
  RunOut(loop_);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
}

TEST_F(SliceTest, AfterATaskThrewItGoesOnWithNothingLostOrTwice) {
  const auto fail = [] { throw BusError(BusError::Kind::kUnreachable, "what it asks for can't be read"); };
  Feed({1, 2, 3});
  int seen = 0;
  task_.on_record = [&] {
    if (++seen == 2) fail();
  };
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  clock_.Advance(250ms);
  RunOut(loop_);
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6"));
  task_.on_record = [] {};
  task_.on_idle = fail;
  Feed({4});
  EXPECT_EQ(loop_.RunOnce(0ms), 1u);
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  task_.on_idle = [] {};
  RunOut(loop_);
  EXPECT_THAT(Out(), ElementsAre("1", "3", "6", "10"));
  EXPECT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 0}, 4, "10"}));
  EXPECT_EQ(loop_.counters().rebalances, 1u);
}

TEST_F(SliceTest, AMissingTopicIsReportedAndTheSliceRepeatedOnceItExists) {
  bus_.MakeAdmin()->DeleteTopic("out");
  Feed({1}, "now");
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  bus_.MakeAdmin()->CreateTopic({"out", 1, 1, {}});
  RunOut(loop_);
  EXPECT_THAT(Out(), ElementsAre("1"));
}

TEST_F(SliceTest, UncommittedWorkIsDroppedWhenPartitionsAreRevokedAndDoneByTheNextOwner) {
  Feed({1, 2});
  loop_.RunOnce(0ms);
  Second other(*this);
  other.loop.RunOnce(0ms);
  clock_.Advance(1s);
  loop_.RunOnce(0ms);
  EXPECT_THAT(Out(), IsEmpty()) << "the slice in flight went with its partitions";
  RunBoth(other, loop_);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
}

TEST_F(SliceTest, WhatWasSentAheadGoesWithThePartitionsTooAndHidesNothing) {
  const auto loop = LoopThatSentAhead();
  Second other(*this);
  other.loop.RunOnce(0ms);
  loop->RunOnce(0ms);
  EXPECT_EQ(loop->counters().aborts, 1u) << "before another has the partitions";
  RunBoth(other, *loop);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
}

TEST_F(SliceTest, ARevocationWhoseAbortFailsIsMadeUpFor) {
  const auto loop = LoopThatSentAhead();
  Second other(*this);
  other.loop.RunOnce(0ms);
  task_.on_revoked = [this] { bus_.faults().unreachable = true; };
  EXPECT_THROW(loop->RunOnce(0ms), BusError);
  EXPECT_TRUE(loop->in_transaction());
  task_.on_revoked = [] {};
  bus_.faults().unreachable = false;
  RunBoth(other, *loop);
  EXPECT_EQ(loop->counters().aborts, 1u);
  EXPECT_THAT(Out(), ElementsAre("1", "3"));
}

TEST_F(SliceTest, WhatWasTakenUpByAnAssignmentThatFailedIsNotCommittedForItsNextOwner) {
  Feed({1}, "now", 1);
  loop_.RunOnce(0ms);
  ASSERT_THAT(bus_.Committed("g"), ElementsAre(bus::Position{{"in", 1}, 1, "1"}));
  task_.on_assigned = [] { throw BusError(BusError::Kind::kUnreachable, "the state can't be read"); };
  bus_.faults().abort_next_commits = 1;
  Feed({2}, "now", 0);
  EXPECT_THROW(loop_.RunOnce(0ms), BusError);
  task_.on_assigned = [] {};
  Second other(*this);
  Feed({4}, "now", 1);
  RunBoth(other, loop_);
  Feed({3}, "now", 0);
  RunOut(loop_);
  EXPECT_THAT(bus_.Committed("g"),
              ElementsAre(bus::Position{{"in", 0}, 2, "5"}, bus::Position{{"in", 1}, 2, "5"}));
}

TEST_F(SliceTest, StopCommitsTheSliceInFlightAndLeavesTheGroup) {
  Feed({5});
  loop_.RunOnce(0ms);
  loop_.Stop();
  EXPECT_THAT(Out(), ElementsAre("5"));
  SumTask next_task;
  const auto next_consumer = bus_.MakeConsumer({"g"});
  SliceLoop next(*next_consumer, *producer_, clock_, next_task, {.topics = {"in"}});
  next.Start();
  Feed({6});
  RunOut(next);
  EXPECT_THAT(Out(), ElementsAre("5", "11"));
}

TEST_F(SliceTest, ANewerInstanceWithTheSameIdentifierEndsTheOlder) {
  Feed({1}, "now");
  const auto newer = bus_.MakeProducer({.transactional_id = "t"});
  newer->InitTransactions();
  try {
    loop_.RunOnce(0ms);
    FAIL() << "the older one was not fenced";
  } catch (const BusError& error) {
    EXPECT_EQ(error.kind(), BusError::Kind::kFatal);
  }
  EXPECT_THAT(Out(), IsEmpty());
}

}  // namespace
}  // namespace flowcast::slice
