// The capture service over the in-memory bus: what is sent, how it ends, what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "libs/delivery/live_delivery.h"
#include "libs/delivery/waiting_delivery.h"
#include "libs/trace/trace.h"
#include "libs/wire/packet_wire.h"
#include "services/capture/capture_metrics.h"
#include "services/capture/capture_service.h"
#include "services/capture/epochs.h"
#include "tests/support/fake_source.h"
#include "tests/support/metrics.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::PacketAt;
using testing::IsEmpty;
using testing::SizeIs;

/// Its wall clock can be set.
class SetClock : public base::ManualClock {
 public:
  base::EventTime Now() const override { return ManualClock::Now() + set_by; }
  base::Duration Steady() const override { return ManualClock::Now().time_since_epoch(); }
  base::Duration set_by{};
};

class CaptureServiceTest : public testing::Test {
 protected:
  CaptureServiceTest() {
    support::CreateTopics(bus_, names_, 64);
    source_.poll_limit = 10;
    source_.on_poll = [this] {
      ++polls_;
      clock_.Advance(poll_takes_);
    };
  }
  void Feed(int packets) {
    for (int i = 0; i < packets; ++i) source_.Add(PacketAt(0.1 * i, i % 3 == 0 ? 1 : 0, i % 5));
  }
  CaptureSummary Run(CaptureOptions options = {}) {
    options.batches = {
        .source = "demo", .epoch = options.live ? 1u : 0u, .partitions = 64, .batch_packets = 16};
    const auto producer = bus_.MakeProducer({.queue_bytes = queue_bytes_});
    const auto stop = [this] { return stop_after_ > 0 && polls_ >= stop_after_; };
    const auto delivery = Deliver(*producer, options.live);
    return CaptureService({source_, *delivery, clock_, lines_.log(), stop, progress_}, options).Run();
  }
  std::unique_ptr<delivery::Delivery> Deliver(bus::Producer& producer, bool live) {
    if (live) {
      return std::make_unique<delivery::LiveDelivery>(
          delivery::LiveDelivery::Parts{producer, nullptr, clock_, lines_.log()}, names_.packets);
    }
    const auto stop = [this] {
      if (++waits_ == restore_after_) bus_.faults().unreachable = false;
      return stop_after_ > 0 && polls_ >= stop_after_;
    };
    return std::make_unique<delivery::WaitingDelivery>(
        delivery::WaitingDelivery::Parts{producer, clock_, lines_.log(), stop}, names_.packets);
  }
  std::vector<packet::PacketBatch> Batches() const {
    std::vector<packet::PacketBatch> batches;
    for (const bus::InRecord& record : bus_.Records(names_.packets)) {
      batches.push_back(wire::DecodePacketBatch(record.value).value());
    }
    return batches;
  }
  std::size_t FinalMarks() const {
    const auto batches = Batches();
    return static_cast<std::size_t>(
        std::count_if(batches.begin(), batches.end(), [](const auto& batch) { return batch.final; }));
  }

  SetClock clock_;
  bus::MemoryBus bus_;
  topics::Names names_;
  support::FakeSource source_;
  support::Lines lines_;
  std::function<void(const CaptureSummary&)> progress_ = [](const CaptureSummary&) {};
  base::Duration poll_takes_ = 10ms;
  int polls_ = 0;
  int waits_ = 0;
  int restore_after_ = 0;
  std::size_t queue_bytes_ = 1 << 20;
  int stop_after_ = 0;  // polls; 0 is never
};

TEST_F(CaptureServiceTest, EveryPacketIsInABatchAndTheCountsAddUp) {
  Feed(100);
  source_.counts = {
      .received = 9, .filtered = 3, .dropped_by_kernel = 4, .dropped_by_interface = 1, .undecodable = 1};
  const CaptureSummary summary = Run();
  std::size_t packets = 0, bytes = 0;
  for (const packet::PacketBatch& batch : Batches()) packets += batch.size();
  for (const bus::InRecord& record : bus_.Records(names_.packets)) bytes += record.value.size();
  EXPECT_EQ(packets, 100u);
  EXPECT_EQ(summary.bytes, bytes);
  EXPECT_EQ(summary.batches, Batches().size());
  EXPECT_EQ(summary.packets.published, 100u);
  EXPECT_EQ(summary.packets.dropped(), 5u);
  EXPECT_EQ(summary.packets.received, summary.packets.published + summary.packets.filtered +
                                          summary.packets.dropped() + summary.packets.undecodable);
  EXPECT_TRUE(summary.complete);
}

TEST_F(CaptureServiceTest, WithDebugLinesEachBatchWithPacketsIsNamed) {
  Feed(100);
  Run({.paced = true, .trace = true});
  for (const bus::InRecord& record : bus_.Records(names_.packets)) {
    const packet::PacketBatch batch = wire::DecodePacketBatch(record.value).value();
    const std::string name =
        trace::BatchName(batch.source, batch.epoch, record.from.partition, batch.sequence);
    const std::string line = "batch " + name + ": " + std::to_string(batch.size()) + " packets from ";
    EXPECT_EQ(lines_.Contain(line), batch.size() > 0) << line;
  }
}

TEST_F(CaptureServiceTest, ItsMetricsAddUpFromTheBeginningToTheEnd) {
  Feed(100);
  source_.counts = {
      .received = 9, .filtered = 3, .dropped_by_kernel = 4, .dropped_by_interface = 1, .undecodable = 1};
  poll_takes_ = 400ms;
  std::vector<std::vector<telemetry::Metric>> told;
  progress_ = [&](const CaptureSummary& summary) { told.push_back(CaptureMetrics().Read(summary)); };
  const CaptureSummary summary = Run();
  ASSERT_GT(told.size(), 3u) << "at the beginning, in between, at the end";
  for (const auto& metrics : told) {
    EXPECT_THAT(support::Problems(metrics, "flowcast_capture_"), IsEmpty());
    const auto value = [&](const std::string& name) {
      return support::ValueOf(metrics, "flowcast_capture_" + name + "_total");
    };
    const double unsent = support::ValueOf(metrics, "flowcast_capture_unsent_packets");
    EXPECT_EQ(value("received_packets"), value("published_packets") + unsent + value("filtered_packets") +
                                             value("dropped_packets") + value("undecodable_packets"));
    EXPECT_EQ(value("packets_by_kind"), value("published_packets") + unsent);
  }
  EXPECT_EQ(support::ValueOf(told.front(), "flowcast_capture_published_packets_total"), 0);
  EXPECT_EQ(support::ValueOf(told.back(), "flowcast_capture_published_packets_total"), 100);
  EXPECT_EQ(support::ValueOf(told.back(), "flowcast_capture_dropped_packets_total", "kernel"), 4);
  EXPECT_EQ(support::ValueOf(told.back(), "flowcast_capture_batches_total"),
            static_cast<double>(summary.batches));
}

TEST_F(CaptureServiceTest, AFileEndsWithAFinalMarkInEachPartitionThatCarriesTheCounts) {
  Feed(100);
  const CaptureSummary summary = Run();
  EXPECT_EQ(FinalMarks(), 2u) << "two links in two partitions";
  for (const packet::PacketBatch& batch : Batches()) {
    EXPECT_TRUE(!batch.final || batch.counters == summary.packets);
  }
}

TEST_F(CaptureServiceTest, TheCountsInEveryBatchAddUpWhyeverItClosed) {
  Feed(400);
  for (const int poll_limit : {400, 50, 7}) {
    source_.Rewind();
    source_.poll_limit = static_cast<std::size_t>(poll_limit);
    const auto meet_others = [this] {  // at the next poll, beside its packets
      source_.counts.received += 8;
      source_.counts.filtered += 4;
      source_.counts.undecodable += 3;
      source_.counts.dropped_by_kernel += 1;
      clock_.Advance(20ms);
    };
    source_.on_poll = meet_others;
    Run({.paced = poll_limit == 7});
    queue_bytes_ = 300;  // some are dropped
    source_.Rewind();
    Run({.live = true, .paced = true});
    queue_bytes_ = 1 << 20;
  }
  const auto batches = Batches();
  EXPECT_GT(batches.size(), 100u);
  std::uint64_t dropped = 0;
  for (const packet::PacketBatch& batch : batches) {
    const packet::SourceCounters& counters = batch.counters;
    EXPECT_EQ(counters.received,
              counters.published + counters.filtered + counters.dropped() + counters.undecodable)
        << "in the batch from packet " << batch.sequence;
    EXPECT_GE(counters.published + counters.dropped_by_queue, batch.sequence + batch.size());
    dropped += counters.dropped_by_queue;
  }
  EXPECT_GT(dropped, 0u);
}

TEST_F(CaptureServiceTest, AFileThatIsStoppedHalfWayGetsNoFinalMark) {
  Feed(100);
  stop_after_ = 4;
  const CaptureSummary summary = Run();
  EXPECT_FALSE(summary.complete);
  std::size_t packets = 0;
  for (const packet::PacketBatch& batch : Batches()) packets += batch.size();
  EXPECT_EQ(packets, summary.packets.published);
  EXPECT_EQ(summary.packets.published, 40u);
  EXPECT_EQ(FinalMarks(), 0u);
}

TEST_F(CaptureServiceTest, OfAFileThatIsSentAgainPacketNIsAlwaysTheSame) {
  Feed(100);
  stop_after_ = 4;
  Run();
  ASSERT_FALSE(Batches().empty());
  source_.Rewind();
  source_.poll_limit = 7;
  stop_after_ = 0;
  Run({.paced = true});
  std::map<std::pair<std::string, std::uint64_t>, std::set<base::EventTime>> times;
  for (const packet::PacketBatch& batch : Batches()) {
    for (std::size_t i = 0; i < batch.size(); ++i)
      times[{batch.links.at(0), batch.sequence + i}].insert(batch.times[i]);
  }
  EXPECT_THAT(times, SizeIs(100)) << "each link has a partition of its own";
  for (const auto& [number, seen] : times)
    EXPECT_THAT(seen, SizeIs(1)) << number.first << ' ' << number.second;
}

TEST_F(CaptureServiceTest, ALiveSourceThatIsStoppedHasEnded) {
  Feed(30);
  source_.ends = false;
  stop_after_ = 10;
  const CaptureSummary summary = Run({.live = true, .paced = true});
  EXPECT_FALSE(summary.complete);
  EXPECT_EQ(FinalMarks(), 2u);
}

TEST_F(CaptureServiceTest, WhenTheHostsClockIsSetBackALiveSourceBeginsAnEpochOfItsOwn) {
  const base::EventTime now = clock_.Now();
  const auto seconds_to = [](base::EventTime time) { return base::ToSeconds(time - At(0)); };
  for (int i = 0; i < 15; ++i) source_.Add(PacketAt(seconds_to(now + 2h) + 0.01 * i));
  for (int i = 0; i < 15; ++i) source_.Add(PacketAt(seconds_to(now) + 0.2 + 0.01 * i));
  source_.ends = false;
  clock_.set_by = 2h;
  stop_after_ = 12;
  source_.on_poll = [this] {
    if (++polls_ == 2) clock_.set_by = 0h;  // the poll's packets are of before and after
    clock_.Advance(10ms);
    source_.bound = source_.went_back ? clock_.Now() : std::max(source_.bound, clock_.Now());
  };
  std::uint64_t epoch = 1;
  const CaptureSummary summary =
      Run({.live = true, .paced = true, .next_epoch = [&epoch] { return ++epoch; }});
  EXPECT_TRUE(source_.went_back);
  EXPECT_TRUE(lines_.Contain("the host's clock was set back"));
  EXPECT_EQ(summary.packets.received, 30u);
  EXPECT_EQ(summary.packets.published, 30u);
  EXPECT_EQ(summary.unsent, 0u);
  std::map<std::uint64_t, packet::PacketBatch> last;  // by epoch
  std::uint64_t packets = 0, stragglers_of_second = 0;
  for (packet::PacketBatch& batch : Batches()) {
    packets += batch.size();
    if (batch.epoch == 2) stragglers_of_second += batch.stragglers.size();
    last[batch.epoch] = std::move(batch);
  }
  EXPECT_EQ(packets, 30u);
  ASSERT_THAT(last, SizeIs(2));
  EXPECT_TRUE(last.at(1).final && last.at(2).final);
  EXPECT_EQ(last.at(1).counters.received + last.at(2).counters.received, 30u);
  EXPECT_LT(last.at(2).watermark, now + 1h);
  EXPECT_GE(last.at(2).counters.received, 10u);
  EXPECT_EQ(stragglers_of_second, 0u);
}

TEST_F(CaptureServiceTest, AnIdleLiveSourceSendsWatermarks) {
  Feed(1);
  source_.ends = false;
  source_.bound = At(60);
  stop_after_ = 20;
  Run({.live = true, .paced = true});
  const auto batches = Batches();
  ASSERT_GE(batches.size(), 2u);
  EXPECT_EQ(batches[batches.size() - 2].watermark, At(60) - 50ms);
  base::EventTime before = base::kBeginningOfTime;
  for (const packet::PacketBatch& batch : batches) {
    EXPECT_GE(batch.watermark, before);
    before = batch.watermark;
  }
}

TEST_F(CaptureServiceTest, ALiveSourceWithoutPacketsSaysSoAndSendsNothing) {
  source_.ends = false;
  poll_takes_ = 600ms;
  stop_after_ = 4;
  Run({.live = true, .paced = true});
  EXPECT_THAT(Batches(), IsEmpty());
  EXPECT_TRUE(lines_.Contain("no packets yet"));
}

TEST_F(CaptureServiceTest, ProgressIsToldOnceASecond) {
  Feed(100);
  poll_takes_ = 500ms;
  Run();
  EXPECT_THAT(lines_.lines, SizeIs(5));
  EXPECT_TRUE(lines_.Contain("20 packets ("));
}

TEST_F(CaptureServiceTest, WhatTheSourceComplainsOfIsPassedOn) {
  Feed(10);
  source_.complaint = "the file is cut off";
  const CaptureSummary summary = Run();
  EXPECT_EQ(summary.complaint, "the file is cut off");
  EXPECT_EQ(summary.packets.published, 10u);
}

TEST_F(CaptureServiceTest, AFileWaitsForKafka) {
  Feed(100);
  bus_.faults().unreachable = true;
  restore_after_ = 10'000;  // of our clock that is minutes
  const CaptureSummary summary = Run();
  EXPECT_TRUE(summary.complete);
  EXPECT_EQ(summary.packets.published, 100u);
  EXPECT_EQ(FinalMarks(), 2u);
}

TEST_F(CaptureServiceTest, WhatAStoppedFileCouldNotSendIsSaid) {
  Feed(100);
  bus_.faults().unreachable = true;
  stop_after_ = 4;
  const CaptureSummary summary = Run();
  EXPECT_EQ(summary.packets.published, 0u);
  EXPECT_EQ(summary.unsent, 40u);
}

TEST_F(CaptureServiceTest, WhatTheQueueOfALiveCaptureDoesNotTakeIsCounted) {
  Feed(100);
  queue_bytes_ = 1;
  poll_takes_ = 500ms;
  const CaptureSummary summary = Run({.live = true, .paced = true});
  EXPECT_EQ(summary.packets.dropped_by_queue, 100u) << "no batch fits into a queue of a byte";
  EXPECT_EQ(summary.packets.published, 0u);
  EXPECT_EQ(summary.unsent, 0u);
  EXPECT_THAT(Batches(), IsEmpty());
  EXPECT_TRUE(lines_.Contain("dropped or undecodable"));
}

TEST(EpochsTest, EachIsTheTimeOrOneAfterTheLast) {
  SetClock clock;
  support::Lines lines;
  Epochs epochs("", clock, lines.log());
  const std::uint64_t first = epochs.Next();
  EXPECT_EQ(first, static_cast<std::uint64_t>(base::ToUnixNanoseconds(clock.Now())));
  clock.set_by = -2h;
  EXPECT_EQ(epochs.Next(), first + 1);
  clock.set_by = 1s;
  EXPECT_EQ(epochs.Next(), static_cast<std::uint64_t>(base::ToUnixNanoseconds(clock.Now())));
}

TEST(EpochsTest, TheyGrowOverRestartsWithAnEarlierClock) {
  const std::string file = testing::TempDir() + "flowcast-epoch-" + std::to_string(getpid());
  SetClock clock;
  support::Lines lines;
  const std::uint64_t before = Epochs(file, clock, lines.log()).Next();
  clock.set_by = -24h;
  EXPECT_EQ(Epochs(file, clock, lines.log()).Next(), before + 1);
  std::filesystem::remove(file);
}

TEST(EpochsTest, AFileThatCannotBeWrittenIsWarnedOf) {
  SetClock clock;
  support::Lines lines;
  EXPECT_GT(Epochs("/nowhere/epoch", clock, lines.log()).Next(), 0u);
  EXPECT_TRUE(lines.Contain("can't write /nowhere/epoch"));
}

}  // namespace
}  // namespace flowcast::services
