// The features of docs/features.md by hand, and normalized sequences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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
using testing::SizeIs;

class AccumulatorTest : public testing::Test {
 protected:
  void Add(double seconds, std::uint32_t bytes, const packet::FlowKey& key = Flow(), bool syn = false) {
    sums_.AddPacket(At(seconds), bytes, options_.burst_gap);
    sums_.AddFlow(key, packet::Direction::kUnknown, 1, bytes, syn ? 1 : 0);
  }
  static packet::FlowKey Of(std::uint8_t protocol, int source_port = 0, int destination_port = 0) {
    packet::FlowKey key = Flow();
    key.protocol = protocol;
    key.source_port = static_cast<std::uint16_t>(source_port);
    key.destination_port = static_cast<std::uint16_t>(destination_port);
    return key;
  }
  FeatureVector Features() const { return sums_.Features(At(0), 5s, options_); }

  FeatureOptions options_;
  Accumulator sums_;
};

TEST_F(AccumulatorTest, AnEmptyWindowHasTheValuesOfTheTable) {
  const FeatureVector features = Features();
  for (std::size_t i = 0; i < kHourSin; ++i) {
    const double wanted = i == kGapMean ? 5 : i == kUplinkDownlinkRatio ? 1 : 0;
    EXPECT_EQ(features[i], wanted) << Schema()[i].name;
  }
}

TEST_F(AccumulatorTest, SizesAndRates) {
  Add(0, 100);
  Add(1, 300);
  const FeatureVector features = Features();
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
  const FeatureVector features = Features();
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
  const FeatureVector features = Features();
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
  const FeatureVector features = Features();
  EXPECT_EQ(features[kFlows], 3);
  EXPECT_EQ(features[kSources], 3);
  EXPECT_EQ(features[kDestinations], 2);
}

TEST_F(AccumulatorTest, SynsAreAShareOfTcpAlone) {
  Add(0, 60, Of(6), true);
  Add(0, 60, Of(6));
  Add(0, 60, Of(17));
  EXPECT_EQ(Features()[kSynShare], 0.5);
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
    return sums_.Features(base::FromUnixNanoseconds(seconds * 1'000'000'000), 5s, options_);
  };
  const FeatureVector monday_six = at(1'700'460'000);  // 2023-11-20T06:00:00Z
  EXPECT_NEAR(monday_six[kHourSin], 1, 1e-12);
  EXPECT_NEAR(monday_six[kHourCos], 0, 1e-12);
  EXPECT_EQ(monday_six[kWeekdaySin], 0);
  EXPECT_EQ(monday_six[kWeekdayCos], 1);
  const FeatureVector thursday = at(0);
  EXPECT_NEAR(thursday[kWeekdaySin], std::sin(2 * M_PI * 3 / 7), 1e-12);
  const FeatureVector wednesday = at(-1);  // also before 1970
  EXPECT_NEAR(wednesday[kWeekdaySin], std::sin(2 * M_PI * 2 / 7), 1e-12);
  EXPECT_NEAR(wednesday[kHourCos], 1, 1e-6);
}

TEST_F(AccumulatorTest, FlowsMayComeInAnyOrderAndAnyPieces) {
  base::Random random(7);
  Accumulator whole, pieces;
  std::vector<std::pair<int, std::uint32_t>> packets;
  for (int i = 0; i < 500; ++i) {
    packets.emplace_back(static_cast<int>(random.Below(40)),
                         60 + static_cast<std::uint32_t>(random.Below(1400)));
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    for (Accumulator* sums : {&whole, &pieces})
      sums->AddPacket(At(0.01 * static_cast<double>(i)), packets[i].second, 1ms);
    pieces.AddFlow(Flow(packets[i].first), packet::Direction::kUnknown, 1, packets[i].second,
                   packets[i].first % 3 == 0 ? 1 : 0);
  }
  for (int flow = 39; flow >= 0; --flow) {
    std::uint64_t count = 0, bytes = 0;
    for (const auto& [number, size] : packets) {
      count += number == flow ? 1 : 0;
      bytes += number == flow ? size : 0;
    }
    if (count > 0)
      whole.AddFlow(Flow(flow), packet::Direction::kUnknown, count, bytes, flow % 3 == 0 ? count : 0);
  }
  EXPECT_EQ(whole.Features(At(0), 5s, options_), pieces.Features(At(0), 5s, options_));
}

TEST(SchemaTest, TheHashIsPartOfTheFormatAndNeverChangesUnnoticed) {
  EXPECT_EQ(SchemaHash(), 8471759189513498115ULL);
  EXPECT_THAT(Schema(), SizeIs(25));
}

TEST(SchemaTest, FeaturesAreFoundByTheirNames) {
  EXPECT_EQ(FindFeature("bytes"), kBytes);
  EXPECT_EQ(FindFeature("weekday_cos"), kWeekdayCos);
  EXPECT_EQ(FindFeature("load"), std::nullopt);
}

class SequenceTest : public testing::Test {
 protected:
  /// Adds the window number `index`, with this many packets.
  std::optional<Sequence> Add(int index, double packets = 10, bool partial = false) {
    Window window{
        .link = "l", .start = At(5 * index), .length = 5s, .schema_hash = SchemaHash(), .partial = partial};
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
    EXPECT_EQ(sequence.scale[i], Schema()[i].scale_floor) << Schema()[i].name;
}

TEST_F(SequenceTest, TheCalendarIsPassedThrough) {
  Add(0);
  Add(1);
  const Sequence sequence = *Add(2);
  EXPECT_EQ(sequence.centre[kHourSin], 0);
  EXPECT_EQ(sequence.scale[kHourSin], 1);
  EXPECT_EQ(sequence.values[kHourSin], 0.25F);
}

TEST(NormalizeTest, DenormalizeTakesItBack) {
  base::Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto feature = static_cast<Index>(random.Below(kFeatureCount));
    const double raw = std::exp(20 * random.Uniform() - 5);
    const Normalization normalization{10 * random.Normal(), 0.01 + 5 * random.Uniform()};
    const double back = Denormalize(feature, Normalize(feature, raw, normalization), normalization);
    EXPECT_NEAR(back, raw, 1e-9 * (1 + raw)) << Schema()[feature].name;
  }
}

TEST(NormalizeTest, AHugeValueSaturates) {
  EXPECT_TRUE(std::isfinite(Denormalize(kPackets, 1e6, {10, 100})));
  EXPECT_DOUBLE_EQ(Denormalize(kPackets, -1e6, {10, 100}), -1);
}

}  // namespace
}  // namespace flowcast::feature
