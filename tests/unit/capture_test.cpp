// From packets to batches: the batcher, its flow table, replay and made-up traffic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <span>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/random.h"
#include "libs/capture/batcher.h"
#include "libs/capture/paced_source.h"
#include "libs/wire/packet_wire.h"
#include "tests/support/fake_source.h"

namespace flowcast::capture {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::FakeSource;
using support::Flow;
using support::PacketAt;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

packet::BatchFlow BatchFlowAt(double started, std::uint32_t link, const packet::FlowKey& key) {
  packet::BatchFlow flow{.link = link, .key = key};
  flow.started = At(started);
  return flow;
}

class BatcherTest : public testing::Test {
 protected:
  void Begin(BatcherOptions options) { batcher_ = Batcher(options); }
  void Add(double seconds, std::uint16_t interface = 0, int flow = 0) {
    Add(PacketAt(seconds, interface, flow));
  }
  void Add(const packet::Packet& packet) { batcher_.Add(std::span(&packet, 1), interfaces_, ready_); }
  void Tick(double seconds) { batcher_.Tick(At(seconds), ready_); }
  void Finish() { batcher_.Finish(ready_); }
  std::vector<AddressedBatch> Take() { return std::exchange(ready_, {}); }
  packet::PacketBatch TakeOne() {
    EXPECT_THAT(ready_, SizeIs(1));
    return Take().at(0).batch;
  }

  BatcherOptions options_{.source = "demo", .batch_packets = 3, .reorder_tolerance = 50ms};
  Batcher batcher_{options_};
  std::vector<std::string> interfaces_{"eth0", "eth1"};
  std::vector<AddressedBatch> ready_;
};

TEST_F(BatcherTest, ABatchClosesWhenItIsFull) {
  Add(1);
  Add(2);
  EXPECT_THAT(ready_, IsEmpty());
  Add(3);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.times, ElementsAre(At(1), At(2), At(3)));
  EXPECT_EQ(batch.watermark, At(2.95));
  EXPECT_EQ(batch.started, At(1));
  EXPECT_EQ(batch.epoch, static_cast<std::uint64_t>(base::ToUnixNanoseconds(At(1))));
  EXPECT_EQ(batch.source, "demo");
  EXPECT_FALSE(batch.final);
}

constexpr double kHour = 3600;

TEST_F(BatcherTest, OnePacketDatedFarAheadSaysNothingAboutTheTime) {
  Add(1);
  Add(1e9);
  Add(2);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.times, ElementsAre(At(1), At(1e9), At(2)));
  EXPECT_EQ(batch.watermark, At(1.95));
  EXPECT_THAT(batch.stragglers, IsEmpty());
  EXPECT_EQ(batcher_.newest(), At(2));
}

TEST_F(BatcherTest, TwoDatedFarAheadInARowAreAQuietHourThatHasPassed) {
  Add(1);
  Add(2 * kHour);
  EXPECT_EQ(batcher_.taken(), 2u) << "the one that waits is among them";
  Add(2 * kHour + 1);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.times, ElementsAre(At(1), At(2 * kHour), At(2 * kHour + 1)));
  EXPECT_EQ(batch.watermark, At(2 * kHour + 0.95));
}

TEST_F(BatcherTest, PacketsThatAreHoursApartEachAreAllTaken) {
  for (int i = 0; i < 6; ++i) Add(i * 2 * kHour);
  Finish();
  std::vector<base::EventTime> times;
  for (const AddressedBatch& ready : Take())
    times.insert(times.end(), ready.batch.times.begin(), ready.batch.times.end());
  EXPECT_THAT(times, SizeIs(6));
  EXPECT_EQ(batcher_.watermark(), At(10 * kHour));
}

TEST_F(BatcherTest, WhereBatchesEndDoesNotMatterToAPacketDatedFarAhead) {
  for (const std::size_t size : {1, 2, 3, 100}) {
    options_.batch_packets = size;
    Begin(options_);
    for (const double seconds : {1.0, 1e9, 2.0, 3.0}) Add(seconds);
    Finish();
    for (const AddressedBatch& ready : Take()) EXPECT_LE(ready.batch.watermark, At(3)) << size;
  }
}

TEST_F(BatcherTest, APacketThatWaitsIsNotSentWithAFileThatIsStopped) {
  Add(1);
  Add(1e9);
  batcher_.SetCounters({.received = 2});
  batcher_.Flush(ready_);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.times, ElementsAre(At(1)));
  EXPECT_EQ(batch.counters.received, 1u);
  EXPECT_EQ(batch.counters.published, 1u);
}

TEST_F(BatcherTest, TheEpochThatWasAskedForIsUsed) {
  options_.epoch = 77;
  Begin(options_);
  Add(1);
  Tick(1);
  EXPECT_EQ(TakeOne().epoch, 77u);
}

TEST_F(BatcherTest, APacketFromBefore1970StillGivesAnEpoch) {
  Add(-2e9);
  Tick(0);
  EXPECT_EQ(TakeOne().epoch, 1u);
}

TEST_F(BatcherTest, LinksAndFlowsArePointedAtWithinTheBatch) {
  Add(1, 0, 5);
  Add(1, 1, 5);
  Add(1, 0, 5);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.links, ElementsAre("demo/eth0", "demo/eth1"));
  EXPECT_THAT(batch.flows, ElementsAre(BatchFlowAt(1, 0, Flow(5)), BatchFlowAt(1, 1, Flow(5))));
  EXPECT_THAT(batch.marks, ElementsAre(packet::kBegins, packet::kBegins, 0));
  EXPECT_THAT(batch.flow_indexes, ElementsAre(0u, 1u, 0u));
  Add(2, 1, 5);
  Tick(2);
  const packet::PacketBatch next = TakeOne();
  EXPECT_THAT(next.links, ElementsAre("demo/eth1")) << "tables begin anew with each batch";
  EXPECT_THAT(next.flows, ElementsAre(BatchFlowAt(1, 0, Flow(5)))) << "it began in the batch before";
  EXPECT_THAT(next.marks, ElementsAre(0));
}

TEST_F(BatcherTest, ATickGivesNewsOnly) {
  Tick(5);
  EXPECT_THAT(ready_, IsEmpty()) << "nothing has begun";
  Add(1);
  Tick(1);
  EXPECT_EQ(TakeOne().size(), 1u);
  Tick(1);
  EXPECT_THAT(ready_, IsEmpty()) << "the watermark has not moved";
  Tick(2);
  const packet::PacketBatch idle = TakeOne();
  EXPECT_EQ(idle.size(), 0u);
  EXPECT_EQ(idle.watermark, At(1.95));
}

TEST_F(BatcherTest, TheWatermarkNeverGoesBack) {
  Add(1);
  Tick(9);
  EXPECT_EQ(TakeOne().watermark, At(8.95));
  Add(2);
  batcher_.Tick(base::kBeginningOfTime, ready_);
  EXPECT_EQ(TakeOne().watermark, At(8.95));
  Finish();
  EXPECT_EQ(TakeOne().watermark, At(8.95));
  EXPECT_EQ(batcher_.out_of_order(), 0u);
}

TEST_F(BatcherTest, TheFinalMarkCarriesTheNewestTimeToEveryPartition) {
  options_.partitions = 64;
  Begin(options_);
  Add(1, 0);
  Add(4, 1);
  Add(3, 1);
  Finish();
  ASSERT_THAT(ready_, SizeIs(2));
  for (const AddressedBatch& ready : ready_) {
    EXPECT_TRUE(ready.batch.final);
    EXPECT_EQ(ready.batch.watermark, At(4));
    EXPECT_EQ(ready.batch.started, At(1));
    EXPECT_EQ(ready.partition, base::PartitionOf(ready.batch.links.at(0), 64));
  }
  EXPECT_EQ(batcher_.out_of_order(), 1u);
}

TEST_F(BatcherTest, EachPartitionCountsItsOwnPackets) {
  options_.partitions = 64;
  options_.batch_packets = 2;
  Begin(options_);
  for (int i = 0; i < 10; ++i) Add(i, i % 3 == 0 ? 1 : 0);
  Finish();
  std::map<std::int32_t, std::uint64_t> next;
  for (const AddressedBatch& ready : ready_) {
    EXPECT_EQ(ready.batch.sequence, next[ready.partition]);
    next[ready.partition] += ready.batch.size();
  }
  EXPECT_THAT(next, SizeIs(2));
}

TEST_F(BatcherTest, CountersTravelWithWhatFollows) {
  batcher_.SetCounters({.received = 9, .published = 7, .dropped_by_kernel = 2});
  Add(1);
  Tick(1);
  EXPECT_EQ(TakeOne().counters.dropped(), 2u);
  EXPECT_EQ(batcher_.taken(), 1u);
}

TEST_F(BatcherTest, AnInterfaceThatComesLaterBecomesALink) {
  interfaces_ = {"eth0"};
  Add(1);
  interfaces_.push_back("eth9");
  Add(2, 1);
  Tick(2);
  EXPECT_THAT(TakeOne().links, ElementsAre("demo/eth0", "demo/eth9"));
}

TEST_F(BatcherTest, ABatchClosesWhenItWouldGetTooLarge) {
  options_.batch_packets = 100'000;
  options_.batch_bytes = 20'000;
  Begin(options_);
  for (int i = 0; i < 2000; ++i) Add(0.1 * i, 0, i % 150);
  Finish();
  ASSERT_GT(ready_.size(), 2u);
  for (const AddressedBatch& ready : ready_) {
    EXPECT_LE(wire::Encode(ready.batch).size(), 21'000u);
    EXPECT_GE(ready.batch.size(), ready.batch.final ? 0u : 500u);
  }
}

TEST_F(BatcherTest, StragglersSayWhatTheWatermarkWas) {
  options_.batch_packets = 5;
  Begin(options_);
  Add(1);
  Add(0.96);
  Add(2);
  Add(1.9);
  Add(1.99);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.stragglers, ElementsAre(packet::Straggler{3, At(1.95)}));
  EXPECT_EQ(batcher_.out_of_order(), 3u);
  EXPECT_EQ(batcher_.stragglers(), 1u);
}

TEST_F(BatcherTest, WhatIsOpenIsGivenWithoutAnEndByFlush) {
  Add(1);
  batcher_.Flush(ready_);
  EXPECT_FALSE(TakeOne().final);
  batcher_.Flush(ready_);
  EXPECT_THAT(ready_, IsEmpty());
}

TEST_F(BatcherTest, TheSameSettingsAndFirstPacketHaveTheSameContent) {
  const auto content = [this](std::uint64_t settings, double first) {
    options_.settings = settings;
    Begin(options_);
    Add(first);
    Tick(first);
    return TakeOne().content;
  };
  EXPECT_EQ(content(1, 5), content(1, 5));
  EXPECT_NE(content(1, 5), content(2, 5));
  EXPECT_NE(content(1, 5), content(1, 6));
}

TEST_F(BatcherTest, DirectionsAreSeenFromTheHomeNet) {
  options_.home_net = base::CidrSet({"10.0.0.0/8"});
  Begin(options_);
  Add(1);
  packet::Packet answer = PacketAt(1);
  std::swap(answer.flow.source, answer.flow.destination);
  Add(answer);
  packet::Packet within = PacketAt(1);
  within.flow.destination = within.flow.source;
  Add(within);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_EQ(batch.flows.at(0).direction, packet::Direction::kUplink);
  EXPECT_EQ(batch.flows.at(1).direction, packet::Direction::kDownlink);
  EXPECT_EQ(batch.flows.at(2).direction, packet::Direction::kInternal);
}

TEST_F(BatcherTest, AddressesAreMappedAfterLinksAndDirectionsAreKnown) {
  options_.home_net = base::CidrSet({"10.0.0.0/8"});
  options_.links = {.by = LinkBy::kSubnet, .subnets = base::NetworkMap({"10.0.0.0/24=lab"})};
  options_.anonymize = [](const base::IpAddress& address) {
    base::IpAddress mapped = address;
    mapped.bytes[0] ^= 0xff;
    return mapped;
  };
  Begin(options_);
  Add(1);
  Tick(1);
  const packet::PacketBatch batch = TakeOne();
  EXPECT_THAT(batch.links, ElementsAre("demo/lab"));
  EXPECT_EQ(batch.flows.at(0).direction, packet::Direction::kUplink);
  EXPECT_EQ(base::FormatIpAddress(batch.flows.at(0).key.source), "245.0.0.1");
}

class LinkNamerTest : public testing::Test {
 protected:
  std::string NameOf(const LinkOptions& options, const std::string& source, const std::string& destination,
                     std::uint16_t vlan = 0) {
    LinkNamer namer("demo", options, {});
    return NameBy(namer, source, destination, vlan);
  }
  std::string NameBy(LinkNamer& namer, const std::string& source, const std::string& destination,
                     std::uint16_t vlan = 0) {
    packet::Packet packet = PacketAt(0);
    packet.vlan = vlan;
    packet.flow.source = base::ParseIpAddress(source);
    packet.flow.destination = base::ParseIpAddress(destination);
    return namer.name(namer.LinkOf(packet, {"eth0"}));
  }
};

TEST_F(LinkNamerTest, ByVlanUntaggedPacketsAreOnTheInterface) {
  EXPECT_EQ(NameOf({.by = LinkBy::kVlan}, "10.0.0.1", "10.0.0.2", 12), "demo/eth0.12");
  EXPECT_EQ(NameOf({.by = LinkBy::kVlan}, "10.0.0.1", "10.0.0.2"), "demo/eth0");
  EXPECT_EQ(NameOf({}, "10.0.0.1", "10.0.0.2", 12), "demo/eth0");
}

TEST_F(LinkNamerTest, BySubnetTheLongestMatchToEitherAddressCounts) {
  const LinkOptions options{
      .by = LinkBy::kSubnet,
      .subnets = base::NetworkMap({"10.0.0.0/8", "10.1.0.0/16=lab", "2001:db8::/32=six"})};
  EXPECT_EQ(NameOf(options, "10.1.2.3", "192.0.2.1"), "demo/lab");
  EXPECT_EQ(NameOf(options, "192.0.2.1", "10.1.2.3"), "demo/lab");
  EXPECT_EQ(NameOf(options, "10.9.9.9", "10.1.2.3"), "demo/lab");
  EXPECT_EQ(NameOf(options, "10.9.9.9", "192.0.2.1"), "demo/10.0.0.0/8");
  EXPECT_EQ(NameOf(options, "2001:db8::5", "2001:4860::1"), "demo/six");
  EXPECT_EQ(NameOf(options, "192.0.2.1", "192.0.2.2"), "demo/other");
}

TEST_F(LinkNamerTest, ByHostTheHomeNetsEndCountsTheSourceFirst) {
  const LinkOptions options{.by = LinkBy::kHost, .home_net = base::CidrSet({"10.0.0.0/8"})};
  EXPECT_EQ(NameOf(options, "10.1.2.3", "192.0.2.1"), "demo/10.1.2.3");
  EXPECT_EQ(NameOf(options, "192.0.2.1", "10.1.2.3"), "demo/10.1.2.3");
  EXPECT_EQ(NameOf(options, "10.1.2.3", "10.9.9.9"), "demo/10.1.2.3");
  EXPECT_EQ(NameOf(options, "192.0.2.1", "192.0.2.2"), "demo/other");
}

TEST_F(LinkNamerTest, AnInterfaceOfALaterFileInTheSamePlaceIsAnotherLink) {
  LinkNamer namer("demo", {}, {});
  const packet::Packet packet = PacketAt(0);
  EXPECT_EQ(namer.name(namer.LinkOf(packet, {"eth0"})), "demo/eth0");
  EXPECT_EQ(namer.name(namer.LinkOf(packet, {"eth1"})), "demo/eth1");
  EXPECT_EQ(namer.name(namer.LinkOf(packet, {"eth0"})), "demo/eth0");
  EXPECT_EQ(namer.name(namer.LinkOf(packet, {""})), "demo/");
  EXPECT_EQ(namer.size(), 3);
}

TEST_F(LinkNamerTest, AScanDoesNotMakeLinksWithoutEnd) {
  LinkNamer namer("demo", {.by = LinkBy::kHost, .home_net = base::CidrSet({"10.0.0.0/8"}), .most = 3}, {});
  EXPECT_EQ(NameBy(namer, "10.0.0.1", "192.0.2.1"), "demo/10.0.0.1");
  EXPECT_EQ(NameBy(namer, "10.0.0.2", "192.0.2.1"), "demo/10.0.0.2");
  EXPECT_EQ(NameBy(namer, "10.0.0.3", "192.0.2.1"), "demo/other");
  EXPECT_EQ(NameBy(namer, "10.0.0.1", "192.0.2.1"), "demo/10.0.0.1");
  EXPECT_EQ(namer.size(), 3u);
}

TEST_F(BatcherTest, PacketsAddedTogetherMakeTheSameBatchesAsOneByOne) {
  options_.batch_packets = 1000;
  std::vector<packet::Packet> packets;
  for (std::uint32_t i = 0; i < FlowTable::kMost + 5000; ++i) {  // more flows than are remembered
    packets.push_back(PacketAt(i * 1e-6, static_cast<std::uint16_t>(i % 2), static_cast<int>(i % 70'001)));
  }
  Begin(options_);
  for (const packet::Packet& packet : packets) Add(packet);
  Finish();
  const std::vector<AddressedBatch> singly = Take();
  Begin(options_);
  batcher_.Add(packets, interfaces_, ready_);
  Finish();
  const std::vector<AddressedBatch> together = Take();
  ASSERT_EQ(together.size(), singly.size());
  for (std::size_t i = 0; i < singly.size(); ++i) EXPECT_EQ(together[i].batch, singly[i].batch) << i;
}

TEST_F(BatcherTest, MarksAndStartsDoNotDependOnTheBatches) {
  std::vector<packet::Packet> packets;
  base::Random random(7);
  for (int i = 0; i < 4000; ++i) {
    packet::Packet packet = PacketAt(0.2 * i, 0, static_cast<int>(random.Below(400)));
    packet.tcp_sequence = static_cast<std::uint32_t>(random.Below(50) * 10);
    packet.tcp_length = 10;
    if (random.Below(20) == 0) packet.tcp_flags = packet::kTcpSyn;
    packets.push_back(packet);
  }
  const auto stream_of = [&](std::size_t batch_packets) {
    options_.batch_packets = batch_packets;
    Begin(options_);
    batcher_.Add(packets, interfaces_, ready_);
    Finish();
    std::vector<std::pair<std::uint8_t, base::EventTime>> stream;
    for (const AddressedBatch& ready : Take()) {
      const auto decoded = wire::DecodePacketBatch(wire::Encode(ready.batch));
      EXPECT_EQ(decoded, ready.batch);
      for (std::size_t i = 0; i < ready.batch.size(); ++i)
        stream.emplace_back(decoded->marks[i], decoded->flows[decoded->flow_indexes[i]].started);
    }
    return stream;
  };
  const auto wanted = stream_of(1);
  EXPECT_GT(std::count_if(wanted.begin(), wanted.end(),
                          [](const auto& it) { return it.first == packet::kRepeats; }),
            100);
  for (const std::size_t size : {7, 500, 10'000}) EXPECT_EQ(stream_of(size), wanted) << size;
}

class PacedSourceTest : public testing::Test {
 protected:
  PacedSource Pace(const std::vector<double>& seconds, double speed = 1) {
    auto source = std::make_unique<FakeSource>();
    for (const double second : seconds) source->Add(PacketAt(second));
    return PacedSource(std::move(source), speed, clock_);
  }
  std::vector<packet::Packet> packets_;
  base::ManualClock clock_;
};

TEST_F(PacedSourceTest, PacketsComeWhenTheirTimeHasCome) {
  PacedSource paced = Pace({0, 0.03, 0.2});
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_THAT(packets_, SizeIs(1));
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_THAT(packets_, SizeIs(2));
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kIdle) << "no longer than the block time-out";
  EXPECT_EQ(paced.LowerBound(), At(0) + (clock_.Steady() - base::ManualClock().Steady()));
  clock_.Advance(1s);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kEnd);
  EXPECT_THAT(packets_, SizeIs(3));
}

TEST_F(PacedSourceTest, SpeedMultiplies) {
  PacedSource paced = Pace({0, 100}, 1000);
  paced.Poll(10, packets_);
  clock_.Advance(99ms);
  EXPECT_EQ(paced.LowerBound(), At(99));
  clock_.Advance(1ms);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_THAT(packets_, SizeIs(2));
}

TEST_F(PacedSourceTest, TheBoundIsNeverBeyondThePacketThatComesNext) {
  PacedSource paced = Pace({0, 1, 2});
  EXPECT_EQ(paced.LowerBound(), base::kBeginningOfTime);
  paced.Poll(10, packets_);
  clock_.Advance(10s);
  EXPECT_EQ(paced.LowerBound(), At(1));
}

TEST_F(PacedSourceTest, AfterTheLastPacketTheBoundIsItsTimeHoweverLongTheSourceLasts) {
  auto source = std::make_unique<FakeSource>();
  source->Add(PacketAt(0));
  source->bound = At(100);
  PacedSource paced(std::move(source), 1, clock_);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  clock_.Advance(10s);
  EXPECT_EQ(paced.LowerBound(), At(0)) << "as without pacing: windows must not depend on the speed";
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kEnd);
  EXPECT_EQ(paced.LowerBound(), At(0));
}

TEST_F(PacedSourceTest, WhatIsDueIsHandedOutThoughTheNextMayBeLongInComing) {
  auto source = std::make_unique<FakeSource>();
  source->Add(PacketAt(0));
  int polls = 0;
  source->on_poll = [&polls] { ++polls; };
  PacedSource paced(std::move(source), 1, clock_);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_EQ(polls, 1) << "a pipe may keep the next call waiting";
}

TEST_F(PacedSourceTest, ByTheClockAPacketComesAtTheTimeThatItBears) {
  clock_.Advance(At(0) - clock_.Now());
  auto source = std::make_unique<FakeSource>();
  for (const double second : {-1.0, 0.0, 2.0}) source->Add(PacketAt(second));
  PacedSource paced(std::move(source), 1, clock_, PacedSource::Anchor::kClock);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_THAT(packets_, SizeIs(2)) << "what has its time behind it comes at once";
  clock_.Advance(1999ms);
  EXPECT_EQ(paced.LowerBound(), At(1.999));
  clock_.Advance(1ms);
  EXPECT_EQ(paced.Poll(10, packets_), PollState::kPackets);
  EXPECT_THAT(packets_, SizeIs(3));
}

}  // namespace
}  // namespace flowcast::capture
