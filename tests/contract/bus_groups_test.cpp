// What every bus must do for consumer groups, over the in-memory bus and over a real Kafka.
#include "tests/support/bus_contract.h"

namespace flowcast::bus {
namespace {

using BusGroups = BusContract;

INSTANTIATE_TEST_SUITE_P(Over, BusGroups, testing::Values("memory", "broker"),
                         [](const auto& instance) { return instance.param; });

TEST_P(BusGroups, CommittedPositionsComeBackOnAssignmentWithTheirMetadata) {
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

TEST_P(BusGroups, AListenerMayChangeWhereReadingBegins) {
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

TEST_P(BusGroups, AListenerThatFailsIsAskedAgainByTheNextPoll) {
  struct FailsTwice : Listener {
    void OnAssigned(std::vector<Position>& partitions) override {
      if (--failures >= 0) throw BusError(BusError::Kind::kUnreachable, "not now");
      Listener::OnAssigned(partitions);
    }
    int failures = 2;
  };
  Produce({"0", "1", "2"});
  FailsTwice listener;
  const auto consumer = bus_->MakeConsumer({Unique("group")});
  consumer->Subscribe({topic_}, listener);
  int thrown = 0;
  Until([&] { return thrown == 2; },
        [&] {
          try {
            EXPECT_THAT(consumer->Poll(100ms, 10), IsEmpty());
          } catch (const BusError& error) {
            EXPECT_STREQ(error.what(), "not now");
            ++thrown;
          }
        });
  EXPECT_THAT(Read(*consumer, 3), ElementsAre("0", "1", "2"));
  EXPECT_EQ(listener.revocations, 0);
  consumer->Close();
}

TEST_P(BusGroups, DeletedPositionsAreNoneForTheNextMember) {
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

TEST_P(BusGroups, PositionsInOtherTopicsAreNotDeleted) {
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

TEST_P(BusGroups, AnAbortedTransactionLeavesThePositionsAsTheyWereAndRewindDeliversAgain) {
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

TEST_P(BusGroups, TwoMembersShareThePartitionsAndOneTakesOverWhatTheOtherLeaves) {
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

TEST_P(BusGroups, AMemberWithoutPartitionsIsNotTroubled) {
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

TEST_P(BusGroups, ACommitFromAMemberThatHasLeftIsAborted) {
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

/// What only Kafka does.
class KafkaGroups : public BusContract {};

INSTANTIATE_TEST_SUITE_P(Over, KafkaGroups, testing::Values("broker"),
                         [](const auto& instance) { return instance.param; });

TEST_P(KafkaGroups, AMemberThatWasAwayForTooLongCommitsNothingOfWhatItHad) {
  const auto impatient = Kafka(
      {{"session.timeout.ms", "1000"}, {"heartbeat.interval.ms", "200"}, {"max.poll.interval.ms", "1000"}});
  const std::string group = Unique("group");
  Listener first;
  const auto one = impatient->MakeConsumer({group});
  one->Subscribe({topic_}, first);
  AwaitAssignment(*one, first);
  const auto producer = Transactional(Unique("tx"));
  producer->Begin();
  producer->Send(Record("of one that is gone"));
  Listener second;
  const auto two = bus_->MakeConsumer({group});
  two->Subscribe({topic_}, second);
  AwaitAssignment(*two, second);
  const auto error = ErrorOf([&] { producer->Commit({{{topic_, 0}, 1, ""}}, *one->Token()); });
  EXPECT_EQ(error.kind(), BusError::Kind::kAbort) << error.what();
  producer->Abort();
  EXPECT_THAT(ReadToEnd(*Reader()), IsEmpty());
  two->Close();
  one->Close();
}

TEST_P(KafkaGroups, AnAssignmentThatFollowsAnotherTakesThatAwayFirst) {
  struct Slow : Listener {
    void OnAssigned(std::vector<Position>& partitions) override {
      EXPECT_THAT(held, IsEmpty()) << "nobody said that these are gone";
      Listener::OnAssigned(partitions);
      meanwhile();
      meanwhile = [] {};
    }
    std::function<void()> meanwhile;
  };
  const auto watchful = Kafka({{"topic.metadata.refresh.interval.ms", "100"}});
  const std::string other = MakeTopic(2);
  Slow listener;
  listener.meanwhile = [&] {
    bus_->MakeAdmin()->DeleteTopic(other);
    base::SystemClock().SleepFor(3s);
  };
  const auto consumer = watchful->MakeConsumer({Unique("group")});
  consumer->Subscribe({topic_, other}, listener);
  Until([&] { return listener.assignments == 2; },
        [&] {
          try {
            consumer->Poll(50ms, 10);
          } catch (const BusError& error) {
            EXPECT_EQ(error.kind(), BusError::Kind::kMissingTopic) << error.what();
          }
        });
  EXPECT_THAT(listener.held, SizeIs(2));
  EXPECT_EQ(listener.revocations, 1);
  consumer->Close();
}

}  // namespace
}  // namespace flowcast::bus
