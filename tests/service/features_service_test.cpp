// The feature task in its slice loop: windows out of batches, and restarts anywhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flowcast/v1/packets.pb.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"
#include "services/features/features_metrics.h"
#include "services/features/features_service.h"
#include "tests/support/metrics.h"
#include "tests/support/services.h"
#include "tests/support/traffic.h"

namespace flowcast::services {
namespace {

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
void CommitAs(World& world, const std::string& metadata) {
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
void MakeAnew(World& world, const std::vector<std::string>& topics) {
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

TEST_F(FeaturesServiceTest, WindowsAndSequencesGoToTheirTopicsUnderTheirLinks) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(25)));
  world_.instance->RunOut();
  const auto windows = world_.bus.Records(world_.names.windows);
  const auto sequences = world_.bus.Records(world_.names.sequences);
  ASSERT_THAT(windows, SizeIs(5));
  ASSERT_THAT(sequences, SizeIs(2));
  EXPECT_EQ(windows[0].key, "demo/a");
  EXPECT_EQ(wire::DecodeWindow(windows[0].value)->packets, 1u);
  EXPECT_EQ(sequences[0].key, "demo/a");
  EXPECT_EQ(wire::DecodeSequence(sequences[0].value)->end, At(20));
  EXPECT_EQ(world_.task->fold_counters().windows, 5u);
  EXPECT_EQ(world_.task->link_count(), 1u);
  EXPECT_EQ(world_.task->Watermark(), At(25));
}

TEST_F(FeaturesServiceTest, TheJsonMirrorHasEachWindowOnceMore) {
  world_.options.json_mirror = true;
  RunStraight(MakeLog(3, 0));
  const auto windows = world_.bus.Records(world_.names.windows);
  const auto mirrored = world_.bus.Records(world_.names.windows_json);
  ASSERT_GT(windows.size(), 50u);
  ASSERT_EQ(mirrored.size(), windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    EXPECT_EQ(mirrored[i].from.partition, windows[i].from.partition);
    EXPECT_EQ(mirrored[i].key, windows[i].key);
    EXPECT_EQ(mirrored[i].value, wire::EncodeJson(*wire::DecodeWindow(windows[i].value),
                                                  wire::AllFeatures(feature::Schema::Default())));
  }
  const auto metrics = FeaturesMetrics().Read(FactsOf(world_.instance->counters(), *world_.task));
  EXPECT_EQ(support::ValueOf(metrics, "flowcast_features_json_records_total"), windows.size());
}

TEST_F(FeaturesServiceTest, WithoutTheJsonMirrorItsTopicStaysEmpty) {
  RunStraight(MakeLog(3, 0));
  EXPECT_THAT(world_.bus.Records(world_.names.windows_json), IsEmpty());
}

TEST_F(FeaturesServiceTest, WhatIsNoBatchIsCountedByReasonAndSkipped) {
  world_.Begin();
  Stream stream;
  world_.SendBytes("no protobuf");
  v1::PacketBatch message;
  message.set_version(7);
  world_.SendBytes(message.SerializeAsString());
  message.set_version(1);
  world_.SendBytes(message.SerializeAsString());
  world_.Send(stream.Add("a", At(0)).Next(At(5)));
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->counters().refused_not_ours, 1u);
  EXPECT_EQ(world_.task->counters().refused_version, 1u);
  EXPECT_EQ(world_.task->counters().refused_inconsistent, 1u);
  EXPECT_TRUE(world_.lines.Contain(
      "skipped a record of flowcast.packets.v1 (partition 0, offset 0): not a message of ours"));
  EXPECT_TRUE(world_.lines.Contain("unknown version"));
  EXPECT_THAT(world_.Values(world_.names.windows), SizeIs(1));
  const window::FoldCounters fold = world_.task->fold_counters();
  EXPECT_EQ(world_.instance->counters().records_in, fold.batches + world_.task->counters().refused());
}

TEST_F(FeaturesServiceTest, ItsMetricsAddUpWhileWindowsAreOpen) {
  world_.Begin();
  Stream stream;
  world_.SendBytes("no protobuf");
  world_.Send(stream.Add("a", At(0)).Add("a", At(1)).Add("b", At(12)).Next(At(12)));
  world_.instance->RunOut();
  const auto metrics = FeaturesMetrics().Read(FactsOf(world_.instance->counters(), *world_.task));
  EXPECT_THAT(support::Problems(metrics, "flowcast_features_"), IsEmpty());
  const auto value = [&](const std::string& name, const std::string& label = "") {
    return support::ValueOf(metrics, "flowcast_features_" + name, label);
  };
  EXPECT_EQ(value("packets_total"), 3);
  EXPECT_EQ(value("folded_packets_total", "in_window"), 2);
  EXPECT_EQ(value("waiting_packets"), 1);
  EXPECT_EQ(value("packets_total"), value("folded_packets_total") + value("waiting_packets"));
  EXPECT_EQ(value("refused_records_total", "not_ours"), 1);
  EXPECT_EQ(value("read_records_total"), value("batches_total") + value("refused_records_total"));
  EXPECT_EQ(value("written_records_total"), value("windows_total") + value("sequences_total") +
                                                value("state_records_total") + value("json_records_total"));
  EXPECT_EQ(value("links"), 2);
  EXPECT_EQ(value("watermark_timestamp_seconds"), base::ToUnixSeconds(At(12)));
  EXPECT_GT(value("read_timestamp_seconds"), 0);
}

TEST_F(FeaturesServiceTest, NoPositionIsCommittedForAPartitionWithoutRecords) {
  World world(2);
  world.Begin();
  Stream stream;
  world.Send(stream.Add("a", At(0)).Next(At(25)));
  world.instance->RunOut();
  const auto committed = world.bus.Committed("features");
  ASSERT_THAT(committed, SizeIs(1));
  EXPECT_EQ(committed[0].at.partition, 0);
  world.Begin();
  world.instance->RunOut();
  EXPECT_FALSE(world.lines.Contain("has no state"));
}

TEST_F(FeaturesServiceTest, PacketsThatWaitedOverARestartWaitStill) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.instance->RunOut();
  world_.Begin();
  world_.Send(stream.Add("a", At(2)).Next(At(3)));
  world_.instance->RunOut();
  const auto metrics = FeaturesMetrics().Read(FactsOf(world_.instance->counters(), *world_.task));
  EXPECT_EQ(support::ValueOf(metrics, "flowcast_features_packets_total"), 1)
      << "the other one was read before";
  EXPECT_EQ(support::ValueOf(metrics, "flowcast_features_waiting_packets"), 2);
}

TEST_F(FeaturesServiceTest, AFloodOfGarbageIsLoggedAFewTimesOnly) {
  world_.Begin();
  for (int i = 0; i < 100; ++i) world_.SendBytes("no protobuf");
  world_.instance->RunOut();
  EXPECT_EQ(world_.task->counters().refused(), 100u);
  EXPECT_THAT(world_.lines.lines, SizeIs(7));
}

TEST_F(FeaturesServiceTest, AnEndedSourceIsForgottenAndLetsThePositionGoOn) {
  world_.Begin();
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.Send(stream.Next(At(30), true));
  world_.instance->RunOut();
  const auto committed = world_.bus.Committed("features");
  ASSERT_THAT(committed, SizeIs(1));
  EXPECT_EQ(committed[0].offset, 2);
  EXPECT_EQ(world_.task->link_count(), 0u);
}

TEST_F(FeaturesServiceTest, TheSameFileAgainGivesNothingNewAlsoAfterARestart) {
  Stream stream;
  const packet::PacketBatch first = stream.Add("a", At(0)).Next(At(11));
  const packet::PacketBatch last = stream.Add("a", At(12)).Next(At(12), true);
  RunStraight({first, last});
  const auto windows = world_.Values(world_.names.windows);
  world_.Begin();
  world_.Send(first);
  world_.Send(last);
  world_.instance->RunOut();
  EXPECT_EQ(world_.Values(world_.names.windows), windows);
  EXPECT_EQ(world_.task->fold_counters().repeated_batches, 2u);
}

TEST_F(FeaturesServiceTest, ARestartAnywhereGivesExactlyTheWindowsOfTheStraightRun) {
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
  }
}

TEST_F(FeaturesServiceTest, AbortedCommitsChangeNothing) {
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

TEST_F(FeaturesServiceTest, AStoppedServiceGoesOnWhereItStopped) {
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

TEST_F(FeaturesServiceTest, ARestartReadsOnlyThePacketsOfOpenWindowsAgain) {
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

TEST_F(FeaturesServiceTest, ASourceThatIsNotHeardOfIsForgottenByTheClock) {
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

TEST_F(FeaturesServiceTest, WhatATransactionThatWasLeftOpenHidesIsWaitedFor) {
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

TEST_F(FeaturesServiceTest, AStopWhileItsStateIsWaitedForCommitsNothing) {
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

TEST_F(FeaturesServiceTest, LinksWhoseStateIsOfOtherWindowsBeginAnew) {
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

TEST_F(FeaturesServiceTest, WindowsOfASourcesFormerSelfAreNotTakenForThoseOfItsNewOne) {
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

TEST_F(FeaturesServiceTest, ARecordBehindThoseThatRetentionTookIsNotPartOfTheRefold) {
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

TEST_F(FeaturesServiceTest, NothingWaitsOnceEveryWindowIsClosedAlsoAfterARestart) {
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

TEST_F(FeaturesServiceTest, ASourceThatHasVanishedHoldsTheWatermarkNoLonger) {
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

TEST_F(FeaturesServiceTest, APositionWithForeignMetadataIsUsedWithAWarning) {
  Stream stream;
  world_.Send(stream.Add("a", At(0)).Next(At(1)));
  world_.Send(stream.Add("a", At(6)).Next(At(11)));
  CommitAs(world_, "someone else's");
  world_.Begin();
  world_.instance->RunOut();
  EXPECT_TRUE(world_.lines.Contain("has no state in flowcast.state.v1"));
  EXPECT_THAT(world_.Values(world_.names.windows), SizeIs(1));
}

TEST_F(FeaturesServiceTest, TopicsThatWereMadeAnewAreReadFromTheirBeginning) {
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

TEST_F(FeaturesServiceTest, ATopicThatHasGrownBeyondTheOldPositionIsReadFromItsBeginningToo) {
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

TEST_F(FeaturesServiceTest, StateOfLinksThatBelongsToNoPositionIsForgotten) {
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

TEST_F(FeaturesServiceTest, NothingIsWrittenWhileTheStateIsOfAnotherPosition) {
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
