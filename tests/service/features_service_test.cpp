// The feature task in its slice loop: windows out of batches.
#include "flowcast/v1/packets.pb.h"
#include "libs/trace/trace.h"
#include "services/features/features_metrics.h"
#include "tests/support/features_world.h"
#include "tests/support/metrics.h"

namespace flowcast::services {
namespace {

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

TEST_F(FeaturesServiceTest, WithDebugLinesEachWindowIsNamedByTheBatchesOfItsPackets) {
  world_.options.trace = true;
  RunStraight(MakeLog(3, 2));
  const auto naming = [this](const std::string& kind, const std::string& id) {
    return std::count_if(world_.lines.lines.begin(), world_.lines.lines.end(), [&](const std::string& line) {
      return line.starts_with(kind) && line.find(id) != std::string::npos;
    });
  };
  std::size_t with_packets = 0;
  for (const bus::InRecord& record : world_.bus.Records(world_.names.windows)) {
    const auto window = wire::DecodeWindow(record.value);
    const std::string id = trace::IdOf(window->link, window->start, window->length);
    EXPECT_EQ(naming("window " + id, id), 1) << window->link << base::FormatTime(window->start);
    if (window->packets == 0) continue;
    ++with_packets;
    EXPECT_GE(naming("batch ", id), 1) << window->link << base::FormatTime(window->start);
  }
  EXPECT_GT(with_packets, 50u);
  for (const bus::InRecord& record : world_.bus.Records(world_.names.sequences)) {
    const auto sequence = wire::DecodeSequence(record.value);
    const std::string id = trace::IdOfEnd(sequence->link, sequence->end, sequence->window_length);
    EXPECT_EQ(naming("sequence " + id, id), 1);
    EXPECT_EQ(naming("window " + id, id), 1);
  }
}

TEST_F(FeaturesServiceTest, WithoutDebugLinesNoWindowHasALineOfItsOwn) {
  RunStraight(MakeLog(3, 0));
  EXPECT_FALSE(world_.lines.Contain("window "));
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

}  // namespace
}  // namespace flowcast::services
