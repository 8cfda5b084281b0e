// The features of docs/features.md by hand, and normalized sequences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "libs/base/random.h"
#include "libs/feature/accumulator.h"
#include "libs/feature/sequence_builder.h"
#include "tests/support/stream.h"

namespace flowcast::feature {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Flow;
using support::Ip4;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class AccumulatorTest : public testing::Test {
 protected:
  void Add(double seconds, std::uint32_t bytes, const packet::FlowKey& key = Flow(), std::uint8_t flags = 0,
           std::uint8_t marks = 0) {
    Add({At(seconds), bytes, flags, 0, marks}, {.key = key});
  }
  void Add(const PacketFacts& packet, const packet::BatchFlow& flow) {
    sums_.AddPacket(packet, flow.key, options_.burst_gap);
    sums_.AddFlow(flow, {1, packet.wire_length_bytes, packet.time}, options_);
  }
  void AddOfClass(int dscp, const packet::BatchFlow& flow = {.key = Flow()}) {
    Add({At(0), 60, 0, static_cast<std::uint8_t>(dscp << 2 | 1), 0}, flow);
  }
  static packet::FlowKey Answer(packet::FlowKey key) {
    std::swap(key.source, key.destination);
    std::swap(key.source_port, key.destination_port);
    return key;
  }
  static packet::FlowKey Of(std::uint8_t protocol, int source_port = 0, int destination_port = 0) {
    packet::FlowKey key = Flow();
    key.protocol = protocol;
    key.source_port = static_cast<std::uint16_t>(source_port);
    key.destination_port = static_cast<std::uint16_t>(destination_port);
    return key;
  }
  FeatureValues Features() const { return sums_.Features(At(0), 5s); }

  FeatureOptions options_;
  Accumulator sums_;
};

TEST_F(AccumulatorTest, AnEmptyWindowHasTheValuesOfTheTable) {
  const FeatureValues features = Features();
  for (std::size_t i = 0; i < kHourSin; ++i) {
    const double wanted = i == kGapMean ? 5 : i == kUplinkDownlinkRatio ? 1 : 0;
    EXPECT_EQ(features[i], wanted) << Catalogue()[i].name;
  }
  for (std::size_t i = kSizeMin; i < kCatalogueCount; ++i) {
    EXPECT_EQ(features[i], i == kGapP50 || i == kGapP95 ? 5 : 0) << i;
  }
}

TEST_F(AccumulatorTest, SizesAndRates) {
  Add(0, 100);
  Add(1, 300);
  const FeatureValues features = Features();
  EXPECT_EQ(features[kPackets], 2);
  EXPECT_EQ(features[kBytes], 400);
  EXPECT_EQ(features[kSizeMean], 200);
  EXPECT_EQ(features[kSizeStd], 100);
  EXPECT_EQ(features[kPacketRate], 0.4);
  EXPECT_EQ(features[kBitRate], 640);
}

TEST_F(AccumulatorTest, GapsTheirSpreadAndBursts) {
  Add(1, 100);
  Add(1.0005, 100);
  Add(1.0020, 100);
  const FeatureValues features = Features();
  EXPECT_DOUBLE_EQ(features[kGapMean], 0.001);
  EXPECT_DOUBLE_EQ(features[kJitter], 0.0005);
  EXPECT_DOUBLE_EQ(features[kBurstShare], 1.0 / 3);
}

TEST_F(AccumulatorTest, ASinglePacketHasNoGap) {
  Add(1, 100);
  EXPECT_EQ(Features()[kGapMean], 5);
  EXPECT_EQ(Features()[kJitter], 0);
  EXPECT_EQ(Features()[kBurstShare], 0);
}

TEST_F(AccumulatorTest, TwoPacketsHaveOneGapAndNoJitter) {
  Add(1, 100);
  Add(3, 100);
  EXPECT_EQ(Features()[kGapMean], 2);
  EXPECT_EQ(Features()[kJitter], 0);
}

TEST_F(AccumulatorTest, APacketOutOfOrderHasAGapOfNothing) {
  Add(3, 100);
  Add(1, 100);
  Add(2, 100);
  EXPECT_EQ(Features()[kGapMean], 0.5);
}

TEST_F(AccumulatorTest, SharesOfProtocolsAndTheDominantOne) {
  for (const int protocol : {6, 17, 17, 1, 58, 132, 0, 17})
    Add(0, 60, Of(static_cast<std::uint8_t>(protocol)));
  const FeatureValues features = Features();
  EXPECT_EQ(features[kTcpShare], 0.125);
  EXPECT_EQ(features[kUdpShare], 0.375);
  EXPECT_EQ(features[kIcmpShare], 0.25);
  EXPECT_EQ(features[kOtherShare], 0.25);
  EXPECT_EQ(features[kDominantProtocol], 2);
}

TEST_F(AccumulatorTest, TheLowestCodeOfEqualsDominates) {
  Add(0, 60, Of(1));
  Add(0, 60, Of(17));
  EXPECT_EQ(Features()[kDominantProtocol], 2);
}

TEST_F(AccumulatorTest, EntropyIsThatOfThePortsOfTcpUdpAndSctp) {
  Add(0, 60, Of(6, 1, 80));
  Add(0, 60, Of(17, 1, 80));
  Add(0, 60, Of(132, 2, 80));
  Add(0, 60, Of(6, 3, 80));
  Add(0, 60, Of(1, 0, 0));
  EXPECT_DOUBLE_EQ(Features()[kSourcePortEntropy], 1.5);
  EXPECT_EQ(Features()[kDestinationPortEntropy], 0);
}

TEST_F(AccumulatorTest, FlowsSourcesAndDestinationsAreThoseOfIpPackets) {
  Add(0, 60, Flow(1));
  Add(0, 60, Flow(1));
  Add(0, 60, Flow(2));
  packet::FlowKey answer = Flow(1);
  std::swap(answer.source, answer.destination);
  std::swap(answer.source_port, answer.destination_port);
  Add(0, 60, answer);
  Add(0, 60, {.ether_type = 0x0806});
  const FeatureValues features = Features();
  EXPECT_EQ(features[kFlows], 3);
  EXPECT_EQ(features[kSources], 3);
  EXPECT_EQ(features[kDestinations], 2);
}

TEST_F(AccumulatorTest, SynsAreAShareOfTcpAlone) {
  Add(0, 60, Of(6), packet::kTcpSyn);
  Add(0, 60, Of(6), packet::kTcpSyn | packet::kTcpAck);
  Add(0, 60, Of(6));
  Add(0, 60, Of(17));
  EXPECT_DOUBLE_EQ(Features()[kSynShare], 1.0 / 3);
}

TEST_F(AccumulatorTest, TheRatioComparesBytesOutOfTheHomeNetWithBytesIntoIt) {
  packet::FlowKey in = Flow(), inside = Flow(), outside = Flow();
  std::swap(in.source, in.destination);
  inside.destination = Ip4(192, 168, 1, 1);
  outside.source = Ip4(8, 8, 8, 8);
  Add(0, 999, Flow());
  Add(0, 99, in);
  Add(0, 5000, inside);
  Add(0, 7000, outside);
  EXPECT_EQ(Features()[kUplinkDownlinkRatio], 10);
}

TEST_F(AccumulatorTest, TheCalendarIsThatOfTheStartInUtc) {
  const auto at = [&](std::int64_t seconds) {
    return sums_.Features(base::FromUnixNanoseconds(seconds * 1'000'000'000), 5s);
  };
  const FeatureValues monday_six = at(1'700'460'000);  // 2023-11-20T06:00:00Z
  EXPECT_NEAR(monday_six[kHourSin], 1, 1e-12);
  EXPECT_NEAR(monday_six[kHourCos], 0, 1e-12);
  EXPECT_EQ(monday_six[kWeekdaySin], 0);
  EXPECT_EQ(monday_six[kWeekdayCos], 1);
  const FeatureValues thursday = at(0);
  EXPECT_NEAR(thursday[kWeekdaySin], std::sin(2 * M_PI * 3 / 7), 1e-12);
  const FeatureValues wednesday = at(-1);  // also before 1970
  EXPECT_NEAR(wednesday[kWeekdaySin], std::sin(2 * M_PI * 2 / 7), 1e-12);
  EXPECT_NEAR(wednesday[kHourCos], 1, 1e-6);
}

TEST_F(AccumulatorTest, PercentilesAreNearestRanks) {
  for (const std::uint32_t size : {1500, 60, 70, 80, 90, 100, 110, 120, 130, 140}) Add(size * 1e-3, size);
  const FeatureValues features = Features();
  EXPECT_EQ(features[kSizeMin], 60);
  EXPECT_EQ(features[kSizeMax], 1500);
  EXPECT_EQ(features[kSizeP50], 100);
  EXPECT_EQ(features[kSizeP95], 1500);
  EXPECT_DOUBLE_EQ(features[kGapP50], 0.01) << "gaps of 0, eight times 10 ms";
  EXPECT_DOUBLE_EQ(features[kGapP95], 0.01);
  EXPECT_EQ(sums_.approximate(), 0u);
}

TEST_F(AccumulatorTest, PercentilesOfManyPacketsAreWithinTheStatedError) {
  base::Random random(3);
  std::vector<double> sizes, gaps;
  double at = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto size = static_cast<std::uint32_t>(60 + random.Below(9000));
    const double gap = std::round(random.Exponential(1e-4) * 1e9) * 1e-9;
    at += gap;
    if (i > 0) gaps.push_back(gap);
    sizes.push_back(size);
    Add(at, size);
  }
  std::sort(sizes.begin(), sizes.end());
  std::sort(gaps.begin(), gaps.end());
  const FeatureValues features = Features();
  EXPECT_NEAR(features[kSizeP50] / sizes.at(9999), 1, 1.0 / 2048);
  EXPECT_NEAR(features[kSizeP95] / sizes.at(18'999), 1, 1.0 / 2048);
  EXPECT_NEAR(features[kGapP50] / gaps.at(9999), 1, 1.0 / 256 + 1e-4);
  EXPECT_NEAR(features[kGapP95] / gaps.at(18'999), 1, 1.0 / 256 + 1e-4);
  EXPECT_EQ(sums_.approximate(), kPercentilesApproximate);
}

TEST_F(AccumulatorTest, FlowsHaveAnAgeAndSomeAreNew) {
  packet::BatchFlow old{.key = Flow(1)}, fresh{.key = Flow(2)};
  old.started = At(-30);
  fresh.started = At(1);
  Add({At(1), 60, 0, 0, packet::kBegins}, fresh);
  Add({At(2), 60, 0, 0, 0}, old);
  Add({At(3), 60, 0, 0, 0}, fresh);
  Add({At(3), 60, 0, 0, packet::kBegins}, {.key = {.ether_type = 0x0806}});
  const FeatureValues features = Features();
  EXPECT_EQ(features[kNewFlows], 1) << "what is not IP is no flow";
  EXPECT_EQ(features[kFlowDurationMean], (32.0 + 2.0) / 2);
  EXPECT_EQ(features[kFlowPacketsMean], 1.5);
}

TEST_F(AccumulatorTest, TheTopTalkerIsTheSourceWithMostBytes) {
  Add(0, 100, Flow(1));
  Add(0, 150, Flow(201));  // the same source as Flow(1)
  Add(0, 200, Flow(2));
  Add(0, 50, {.ether_type = 0x0806});
  EXPECT_EQ(Features()[kTopTalkerShare], 0.5);
}

TEST_F(AccumulatorTest, FlagsAndRepeatsOfTcpAreCounted) {
  using namespace packet;
  for (const int flags :
       {kTcpSyn | 0, kTcpSyn | kTcpAck, kTcpAck | 0, kTcpFin | kTcpAck, kTcpRst | 0, kTcpRst | kTcpFin})
    Add(0, 60, Flow(), static_cast<std::uint8_t>(flags));
  Add(0, 60, Flow(), kTcpAck, kRepeats);
  Add(0, 60, Of(17));
  const FeatureValues features = Features();
  EXPECT_EQ(features[kSyn], 1);
  EXPECT_EQ(features[kSynAck], 1);
  EXPECT_EQ(features[kFin], 2);
  EXPECT_EQ(features[kRst], 2);
  EXPECT_DOUBLE_EQ(features[kRetransmissionShare], 1.0 / 7);
}

TEST_F(AccumulatorTest, TheRoundTripIsFromSynToItsAnswer) {
  constexpr std::uint8_t kAnswer = packet::kTcpSyn | packet::kTcpAck;
  Add(0, 60, Flow(1), packet::kTcpSyn);
  Add(0.1, 60, Flow(2), packet::kTcpSyn);
  Add(0.2, 60, Answer(Flow(2)), kAnswer);
  Add(0.3, 60, Answer(Flow(1)), kAnswer);
  Add(0.4, 60, Answer(Flow(1)), kAnswer, packet::kRepeats);
  Add(0.5, 60, Answer(Flow(3)), kAnswer);
  EXPECT_DOUBLE_EQ(Features()[kTcpRtt], 0.2);
}

TEST_F(AccumulatorTest, ASynThatWasSentAgainTellsNoRoundTrip) {
  Add(0, 60, Flow(1), packet::kTcpSyn);
  Add(1, 60, Flow(1), packet::kTcpSyn, packet::kRepeats);
  Add(1.2, 60, Answer(Flow(1)), packet::kTcpSyn | packet::kTcpAck);
  EXPECT_EQ(Features()[kTcpRtt], 0);
}

TEST_F(AccumulatorTest, ServiceClassesAreSharesOfIp) {
  for (const int dscp : {0, 10, 38, 46, 8, 56, 1, 44}) AddOfClass(dscp);
  AddOfClass(0, {.key = {.ether_type = 0x0806}});
  const FeatureValues features = Features();
  EXPECT_EQ(features[kDscpBestEffortShare], 0.125);
  EXPECT_EQ(features[kDscpAssuredShare], 0.25);
  EXPECT_EQ(features[kDscpExpeditedShare], 0.125);
  EXPECT_EQ(features[kDscpClassSelectorShare], 0.25);
  EXPECT_EQ(features[kDscpOtherShare], 0.25);
}

TEST_F(AccumulatorTest, AServiceClassWithoutIpMakesNoShareImpossible) {
  AddOfClass(46);
  AddOfClass(46, {.key = {.ether_type = 0x0806}});  // no capture says so, but a message may
  const FeatureValues features = Features();
  for (std::size_t i = kDscpBestEffortShare; i <= kDscpOtherShare; ++i) EXPECT_LE(features[i], 1) << i;
}

TEST_F(AccumulatorTest, CastsVersionsAndDirectionsAreCounted) {
  packet::FlowKey six = Flow();
  six.source.version = six.destination.version = 6;
  six.source.bytes[0] = 0x20;
  Add({At(0), 60}, {.key = six});
  Add({At(0), 70}, {.key = Flow(), .cast = packet::Cast::kMulticast});
  Add({At(0), 80}, {.key = {.ether_type = 0x0806}, .cast = packet::Cast::kBroadcast});
  Add({At(0), 90}, {.key = Flow(), .direction = packet::Direction::kDownlink});
  const FeatureValues features = Features();
  EXPECT_EQ(features[kIpv6Share], 0.25);
  EXPECT_EQ(features[kMulticastShare], 0.25);
  EXPECT_EQ(features[kBroadcastShare], 0.25);
  EXPECT_EQ(features[kUplinkPackets], 1);
  EXPECT_EQ(features[kUplinkBytes], 70);
  EXPECT_EQ(features[kDownlinkPackets], 1);
  EXPECT_EQ(features[kDownlinkBytes], 90);
}

class SequenceTest : public testing::Test {
 protected:
  /// Adds the window number `index`, with this many packets.
  std::optional<Sequence> Add(int index, double packets = 10, bool partial = false) {
    Window window{.link = "l",
                  .start = At(5 * index),
                  .length = 5s,
                  .schema_hash = Schema::Default().hash(),
                  .partial = partial,
                  .features = FeatureVector(kFeatureCount)};
    window.features[kPackets] = packets;
    window.features[kTcpShare] = packets / 100;
    window.features[kHourSin] = 0.25;
    return builder_.Add(window);
  }

  SequenceBuilder builder_{3};
};

TEST_F(SequenceTest, EndsWithEachWindowOnceThereAreEnough) {
  EXPECT_FALSE(Add(0));
  EXPECT_FALSE(Add(1));
  EXPECT_TRUE(Add(2));
  const auto sequence = Add(3, 12);
  ASSERT_TRUE(sequence);
  EXPECT_EQ(sequence->end, At(20));
  EXPECT_EQ(sequence->last_start(), At(15));
  EXPECT_EQ(sequence->length, 3u);
  EXPECT_THAT(sequence->values, SizeIs(3 * kFeatureCount));
  EXPECT_EQ(sequence->last[kPackets], 12);
}

TEST_F(SequenceTest, AHoleStartsAfresh) {
  Add(0);
  Add(1);
  EXPECT_FALSE(Add(3));
  EXPECT_FALSE(Add(4));
  EXPECT_TRUE(Add(5));
}

TEST_F(SequenceTest, APartialWindowStartsAfresh) {
  Add(0);
  Add(1);
  EXPECT_FALSE(Add(2, 10, true));
  EXPECT_FALSE(Add(3));
  EXPECT_FALSE(Add(4));
  EXPECT_TRUE(Add(5));
}

TEST_F(SequenceTest, CentreIsTheMedianAndScaleTheMeanDeviation) {
  Add(0, 10);
  Add(1, 30);
  const Sequence sequence = *Add(2, 80);
  EXPECT_DOUBLE_EQ(sequence.centre[kPackets], std::log(31));
  const double deviation = (std::log(31.0 / 11) + std::log(81.0 / 31)) / 3;
  EXPECT_NEAR(sequence.scale[kPackets], std::sqrt(M_PI / 2) * deviation, 1e-12);
  EXPECT_DOUBLE_EQ(sequence.centre[kTcpShare], 0.3);
  EXPECT_NEAR(sequence.scale[kTcpShare], std::sqrt(M_PI / 2) * 0.7 / 3, 1e-12);
  EXPECT_EQ(sequence.values[kFeatureCount + kPackets], 0);
}

TEST_F(SequenceTest, AnEvenLengthTakesTheMiddleOfTheTwoMiddleValues) {
  builder_ = SequenceBuilder(4);
  Add(0, 10);
  Add(1, 40);
  Add(2, 20);
  EXPECT_DOUBLE_EQ(Add(3, 90)->centre[kTcpShare], 0.3);
}

TEST_F(SequenceTest, AConstantColumnHasTheFloorAsItsScale) {
  Add(0);
  Add(1);
  const Sequence sequence = *Add(2);
  for (std::size_t i = 0; i < kHourSin; ++i)
    EXPECT_EQ(sequence.scale[i], Catalogue()[i].scale_floor) << Catalogue()[i].name;
}

TEST_F(SequenceTest, TheCalendarIsPassedThrough) {
  Add(0);
  Add(1);
  const Sequence sequence = *Add(2);
  EXPECT_EQ(sequence.centre[kHourSin], 0);
  EXPECT_EQ(sequence.scale[kHourSin], 1);
  EXPECT_EQ(sequence.values[kHourSin], 0.25F);
}

}  // namespace
}  // namespace flowcast::feature
