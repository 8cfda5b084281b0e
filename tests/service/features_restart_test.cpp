// The feature task over restarts, lost transactions and topics that were made anew.
#include "libs/wire/commit_note.h"
#include "services/features/features_metrics.h"
#include "tests/support/features_world.h"
#include "tests/support/metrics.h"

namespace flowcast::services {
namespace {

using FeaturesRestartTest = FeaturesServiceTest;

/// Windows without sequences, as the state says that a restart would find.
std::size_t OwedOf(World& world) {
  const auto kept = world.reader->Read(0, [](const state::Kept&) { return true; });
  const auto progress = wire::DecodeFeaturesProgress(kept ? kept->progress : "");
  return progress ? progress->owed : 0;
}

TEST_F(FeaturesRestartTest, ARestartAnywhereGivesExactlyTheWindowsOfTheStraightRun) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    World straight;
    const Log log = MakeLog(seed, seed == 2 ? 7 : 0);
    straight.Begin();
    for (const packet::PacketBatch& batch : log) straight.Send(batch);
    straight.instance->RunOut();
    World killed;
    base::Random random(seed);
    killed.Begin();
    for (const packet::PacketBatch& batch : log) {
      killed.Send(batch);
      if (random.Below(3) == 0) killed.instance->Step();
      if (random.Below(40) == 0) killed.Begin();  // without a word, whatever is in flight
    }
    killed.instance->RunOut();
    ExpectSame(killed, straight);
    EXPECT_GT(killed.task->counters().refolded, 0u);
    EXPECT_FALSE(killed.lines.Contain("can't be read"));
  }
}

TEST_F(FeaturesRestartTest, AbortedCommitsChangeNothing) {
  const Log log = MakeLog(4, 7);
  RunStraight(log);
  World aborted;
  base::Random random(4);
  aborted.Begin();
  for (const packet::PacketBatch& batch : log) {
    aborted.Send(batch);
    if (random.Below(20) == 0) aborted.bus.faults().abort_next_commits = 1;
    aborted.instance->Step();
  }
  aborted.bus.faults().abort_next_commits = 0;
  aborted.instance->RunOut();
  EXPECT_GT(aborted.instance->counters().aborts, 3u);
  ExpectSame(aborted, world_);
}

TEST_F(FeaturesRestartTest, SequencesThatAreMadeAfterTheWindowsAreTheSameWhereverItIsKilled) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Log log = MakeLog(seed, 3);
    World straight;
    straight.Begin();
    for (const packet::PacketBatch& batch : log) straight.Send(batch);
    straight.instance->RunOut();
    World killed;
    killed.options.fold.sequences_at_once = 0;
    killed.options.spare_windows = 2;
    base::Random random(seed);
    killed.Begin();
    std::size_t most_owed = 0;
    for (const packet::PacketBatch& batch : log) {
      killed.Send(batch);
      if (random.Below(2) == 0) killed.instance->Step();
      if (random.Below(30) == 0) killed.bus.faults().abort_next_commits = 1;
      most_owed = std::max(most_owed, OwedOf(killed));
      if (random.Below(25) == 0) killed.Begin();
    }
    killed.bus.faults().abort_next_commits = 0;
    killed.instance->RunOut();
    killed.instance->Stop();
    ExpectSame(killed, straight);
    EXPECT_GT(most_owed, 5u);
    EXPECT_EQ(OwedOf(killed), 0u);
  }
}

TEST_F(FeaturesRestartTest, WindowsAreVisibleBeforeSequencesThatAreMadeLater) {
  world_.options.fold.sequences_at_once = 0;
  world_.options.spare_windows = 1;
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(60)));
  while (world_.Values(world_.names.windows).empty()) world_.instance->Step();
  EXPECT_THAT(world_.Values(world_.names.windows), SizeIs(12));
  EXPECT_THAT(world_.Values(world_.names.sequences), IsEmpty());
  EXPECT_EQ(OwedOf(world_), 12u);
  while (world_.Values(world_.names.sequences).empty()) world_.instance->Step();
  EXPECT_LT(world_.Values(world_.names.sequences).size(), 9u) << "some of them, and new records come first";
  world_.Begin();
  world_.instance->RunOut();
  EXPECT_THAT(world_.Values(world_.names.sequences), SizeIs(9));
}

TEST_F(FeaturesRestartTest, WhoIsAskedToStopMakesTheSequencesFirst) {
  world_.options.fold.sequences_at_once = 0;
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(60)));
  while (world_.Values(world_.names.windows).empty()) world_.instance->Step();
  world_.instance->Stop();
  EXPECT_THAT(world_.Values(world_.names.sequences), SizeIs(9));
}

TEST_F(FeaturesRestartTest, WaitsForNoWindowWhenNoneIsNeeded) {
  Stream stream;
  RunStraight({stream.Add("a", At(0)).Next(At(11)), stream.Add("a", At(12)).Next(At(12), true)});
  ASSERT_FALSE(world_.Values(world_.names.windows).empty());
  const base::Duration before = world_.clock.Steady();
  world_.Begin();
  world_.instance->Step();
  EXPECT_LT(world_.clock.Steady() - before, 1s) << "the newest window lies before what would be read";
  EXPECT_FALSE(world_.lines.Contain("can't be read"));
}

TEST_F(FeaturesRestartTest, AStoppedServiceGoesOnWhereItStopped) {
  const Log log = MakeLog(5, 0);
  RunStraight(log);
  World stopped;
  stopped.Begin();
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (i % 50 == 49) {
      stopped.instance->Step();
      stopped.instance->Stop();
      stopped.Begin();
    }
    stopped.Send(log[i]);
  }
  stopped.instance->RunOut();
  ExpectSame(stopped, world_);
}

TEST_F(FeaturesRestartTest, ARestartReadsOnlyThePacketsOfOpenWindowsAgain) {
  world_.Begin();
  Stream stream;
  for (int second = 0; second < 1000; ++second) world_.Send(stream.Add("a", At(second)).Next(At(second)));
  world_.instance->RunOut();
  world_.Begin();
  world_.Send(stream.Add("a", At(1000)).Next(At(1005)));
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->counters().refolded, 5u);
  const auto sequences = world_.bus.Records(world_.names.sequences);
  EXPECT_EQ(wire::DecodeSequence(sequences.back().value)->end, At(1005));
}

TEST_F(FeaturesRestartTest, ASourceThatIsNotHeardOfIsForgottenByTheClock) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(7)));
  world_.instance->RunOut();
  world_.clock.Advance(59min);
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->link_count(), 1u);
  world_.Begin();
  world_.instance->RunOut();
  world_.clock.Advance(61min);
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->link_count(), 0u);
  EXPECT_EQ(world_.task->fold_counters().vanished_sources, 1u);
  const auto windows = world_.bus.Records(world_.names.windows);
  ASSERT_THAT(windows, SizeIs(2));
  EXPECT_TRUE(wire::DecodeWindow(windows[1].value)->partial);

  world_.Begin();
  world_.Send(stream.Add("a", At(9)).Add("a", At(11)).Next(At(15)));
  world_.instance->RunOut();
  EXPECT_THAT(world_.bus.Records(world_.names.windows), SizeIs(3)) << "a restart knows that it was closed";
  EXPECT_EQ(world_.task->fold_counters().late_packets, 1u);
}

TEST_F(FeaturesRestartTest, WhatATransactionThatWasLeftOpenHidesIsWaitedFor) {
  Stream stream;
  const Log log{stream.Add("a", At(0)).Next(At(1)), stream.Add("a", At(6)).Next(At(11))};
  // Someone died in the middle of a transaction before the state was written.
  const auto zombie = world_.bus.MakeProducer({.transactional_id = "zombie"});
  zombie->InitTransactions();
  zombie->Begin();
  zombie->Send({.to = {world_.names.state, 0}, .key = "x", .value = "y"});
  zombie->Send({.to = {world_.names.windows, 0}, .key = "x", .value = "y"});
  world_.Begin();
  for (const packet::PacketBatch& batch : log) world_.Send(batch);
  world_.instance->RunOut();
  int asked = 0;
  world_.stop = [&] {
    if (++asked == 5) zombie->Abort();
    return false;
  };
  world_.Begin();
  world_.Send(stream.Add("a", At(12)).Next(At(15)));
  world_.instance->RunOut();
  EXPECT_GE(asked, 5);
  EXPECT_THAT(world_.lines.lines, IsEmpty());
  const auto windows = world_.bus.Records(world_.names.windows);
  ASSERT_THAT(windows, SizeIs(3));
  EXPECT_EQ(wire::DecodeWindow(windows[2].value)->start, At(10));
}

TEST_F(FeaturesRestartTest, AStopWhileItsStateIsWaitedForCommitsNothing) {
  Stream stream;
  const auto zombie = world_.bus.MakeProducer({.transactional_id = "zombie"});
  zombie->InitTransactions();
  zombie->Begin();
  zombie->Send({.to = {world_.names.state, 0}, .key = "x", .value = "y"});
  world_.Begin();
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.Send(stream.Add("a", At(6)).Next(At(11)));
  world_.instance->RunOut();
  const auto committed = world_.bus.Committed("features");
  world_.stop = [] { return true; };
  world_.Begin();
  world_.Send(stream.Add("a", At(12)).Next(At(15)));
  EXPECT_THROW(world_.instance->Step(), bus::BusError);
  EXPECT_EQ(world_.bus.Committed("features"), committed);
  EXPECT_FALSE(world_.lines.Contain("has no state"));
}

TEST_F(FeaturesRestartTest, LinksWhoseStateIsOfOtherWindowsBeginAnew) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(11)));
  world_.instance->RunOut();
  world_.options.fold.window_length = 2500ms;
  world_.Begin();
  world_.Send(stream.Add("a", At(13)).Next(At(18)));
  world_.instance->RunOut();
  EXPECT_TRUE(world_.lines.Contain("1 links begin anew: their state is of another --window"));
  const auto windows = world_.bus.Records(world_.names.windows);
  ASSERT_THAT(windows, SizeIs(4));
  EXPECT_EQ(wire::DecodeWindow(windows[2].value)->start, At(12.5));
}

TEST_F(FeaturesRestartTest, WindowsOfASourcesFormerSelfAreNotTakenForThoseOfItsNewOne) {
  Stream other("other"), former, again("demo", 2);
  const Log log{other.Add("x", At(0)).Next(At(5)), former.Add("a", At(0)).Next(At(60), true),
                again.Add("a", At(0)).Next(At(11))};
  const packet::PacketBatch last = again.Add("a", At(12)).Next(At(20));
  RunStraight(log);
  world_.Send(last);
  world_.instance->RunOut();
  World restarted;
  restarted.Begin();
  for (const packet::PacketBatch& batch : log) restarted.Send(batch);
  restarted.instance->RunOut();
  restarted.Begin();
  restarted.Send(last);
  restarted.instance->RunOut();
  ExpectSame(restarted, world_);
}

TEST_F(FeaturesRestartTest, ARecordBehindThoseThatRetentionTookIsNotPartOfTheRefold) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.Send(stream.Add("a", At(2)).Next(At(3)));
  world_.instance->RunOut();
  const auto committed = world_.bus.Committed("features");
  ASSERT_THAT(committed, SizeIs(1));
  ASSERT_EQ(committed[0].offset, 0);
  world_.Begin();
  world_.task->OnAssigned(committed);
  slice::Outbox outbox;
  const packet::PacketBatch next = stream.Add("a", At(12)).Next(At(15));
  world_.task->OnRecord({.from = committed[0].at, .offset = 10, .value = wire::Encode(next)}, outbox);
  EXPECT_EQ(world_.task->counters().refolded, 0u);
  EXPECT_EQ(world_.task->fold_counters().packets_in, 1u);
  EXPECT_EQ(world_.task->fold_counters().windows, 1u) << "the one that the packet is in";
  const auto positions = world_.task->Positions();
  ASSERT_THAT(positions, SizeIs(1));
  EXPECT_EQ(positions[0].offset, 11);
}

TEST_F(FeaturesRestartTest, NothingWaitsOnceEveryWindowIsClosedAlsoAfterARestart) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Add("a", At(6)).Next(At(5)));
  world_.instance->RunOut();
  world_.Begin();
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->waiting_packets(), 1u);
  world_.Send(stream.Next(At(10)));
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->waiting_packets(), 0u);
}

TEST_F(FeaturesRestartTest, ASourceThatHasVanishedHoldsTheWatermarkNoLonger) {
  world_.Begin();
  Stream stream, other("other");
  world_.Send(stream.Add("a", At(0)).Next(At(7)));
  world_.instance->RunOut();
  world_.clock.Advance(61min);
  world_.Send(other.Add("x", At(3661)).Next(At(3661)));
  world_.instance->RunOut();
  ASSERT_EQ(world_.task->fold_counters().vanished_sources, 1u);
  EXPECT_EQ(world_.task->Watermark(), At(3661));
}

TEST_F(FeaturesRestartTest, APositionWithForeignMetadataIsUsedWithAWarning) {
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.Send(stream.Add("a", At(6)).Next(At(11)));
  CommitAs(world_, "someone else's");
  world_.Begin();
  world_.instance->RunOut();
  EXPECT_TRUE(world_.lines.Contain("has no state in flowcast.state.v1"));
  EXPECT_THAT(world_.Values(world_.names.windows), SizeIs(1));
}

TEST_F(FeaturesRestartTest, TopicsThatWereMadeAnewAreReadFromTheirBeginning) {
  const Log log = MakeLog(5, 1);
  RunStraight(log);
  MakeAnew(world_, {world_.names.packets, world_.names.windows, world_.names.sequences, world_.names.state});
  world_.Begin();
  world_.instance->RunOut();
  const Log again = MakeLog(6, 1);
  for (std::size_t i = 0; i < again.size(); ++i) {
    if (i == again.size() / 2) world_.Begin();
    world_.Send(again[i]);
    world_.instance->RunOut();
  }
  EXPECT_TRUE(world_.lines.Contain("flowcast.packets.v1 partition 0: the topic was emptied or made anew"));
  EXPECT_FALSE(world_.lines.Contain("has no state"));
  World wanted;
  wanted.Begin();
  for (const packet::PacketBatch& batch : again) wanted.Send(batch);
  wanted.instance->RunOut();
  ExpectSame(world_, wanted);
}

TEST_F(FeaturesRestartTest, ATopicThatHasGrownBeyondTheOldPositionIsReadFromItsBeginningToo) {
  const Log log = MakeLog(5, 1);
  for (const bool also_state : {true, false}) {
    World world;
    world.Begin();
    for (std::size_t i = 0; i < log.size() / 2; ++i) world.Send(log[i]);
    world.instance->RunOut();
    std::vector<std::string> anew{world.names.packets, world.names.windows, world.names.sequences};
    if (also_state) anew.push_back(world.names.state);
    MakeAnew(world, anew);
    const Log again = MakeLog(6, 1);
    for (std::size_t i = 0; i < again.size(); ++i) {
      world.Send(again[i]);
      if (i == log.size() / 2 + 3) world.Begin();
      if (world.instance && i > log.size() / 2 + 3) world.instance->RunOut();
      if (i == again.size() - 5) world.Begin();
    }
    world.instance->RunOut();
    EXPECT_TRUE(world.lines.Contain("the topic was emptied or made anew")) << also_state;
    World wanted;
    wanted.Begin();
    for (const packet::PacketBatch& batch : again) wanted.Send(batch);
    wanted.instance->RunOut();
    ExpectSame(world, wanted);
  }
}

TEST_F(FeaturesRestartTest, StateOfLinksThatBelongsToNoPositionIsForgotten) {
  world_.Begin();
  Stream stream, other("other");
  world_.Send(stream.Add("a", At(0)).Next(At(25)));
  world_.instance->RunOut();
  MakeAnew(world_, {world_.names.packets});
  world_.Begin();
  world_.Send(other.Add("x", At(3661)).Next(At(3666)));
  world_.instance->RunOut();
  const auto kept = world_.reader->Read(0, [](const state::Kept&) { return true; });
  ASSERT_TRUE(kept.has_value());
  ASSERT_THAT(kept->links, SizeIs(1));
  EXPECT_EQ(kept->links.begin()->first, "other/x");
}

TEST_F(FeaturesRestartTest, NothingIsWrittenWhileTheStateIsOfAnotherPosition) {
  Stream stream;
  world_.Begin();
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.instance->RunOut();
  world_.instance->Stop();
  const auto records = world_.Values(world_.names.state).size();
  const bus::InRecord unseen = [&] {
    world_.Send(stream.Add("a", At(6)).Next(At(11)));
    return world_.bus.Records(world_.names.packets).back();
  }();
  CommitAs(world_, wire::Encode(wire::CommitNote{2, unseen.produced_at}));
  world_.Begin();
  EXPECT_THROW(world_.instance->Step(), bus::BusError);
  EXPECT_THAT(world_.Values(world_.names.state), SizeIs(records));
}

}  // namespace
}  // namespace flowcast::services
