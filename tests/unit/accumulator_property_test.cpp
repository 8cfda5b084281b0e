// What must hold of a window's sums for any traffic: order, pieces, errors of sketches, memory.
#include <gtest/gtest.h>

#include <map>

#include "libs/base/random.h"
#include "libs/feature/accumulator.h"
#include "tests/support/stream.h"

namespace flowcast::feature {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Flow;

/// The parts that flows are added in: all of a flow's packets at once, or one by one; in any order.
FeatureValues InParts(const std::vector<packet::FlowKey>& packets, bool together,
                      const FeatureOptions& options, std::uint32_t& approximate) {
  Accumulator sums;
  std::map<std::size_t, std::pair<packet::FlowKey, FlowPart>> parts;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto time = At(1e-5 * static_cast<double>(i));
    const auto bytes = static_cast<std::uint32_t>(60 + i * 7919 % 1400);
    sums.AddPacket({time, bytes}, packets[i], 1ms);
    auto& [key, part] = parts[together ? packet::FlowKeyHash{}(packets[i]) : packets.size() - i];
    key = packets[i];
    part = {part.packets + 1, part.bytes + bytes, std::max(part.last, time)};
  }
  for (const auto& [number, flow] : parts) {
    packet::BatchFlow batch_flow{.key = flow.first};
    batch_flow.started = At(-1);
    sums.AddFlow(batch_flow, flow.second, options);
  }
  approximate = sums.approximate() & ~kPercentilesApproximate;
  return sums.Features(At(0), 5s);
}

std::vector<packet::FlowKey> FloodOf(std::size_t packets, std::uint64_t flows) {
  base::Random random(7);
  std::vector<packet::FlowKey> flood;
  for (std::size_t i = 0; i < packets; ++i) {
    const std::uint64_t flow = random.Below(flows);
    packet::FlowKey key = Flow();
    key.source.bytes[1] = static_cast<std::uint8_t>(flow >> 16);
    key.source.bytes[2] = static_cast<std::uint8_t>(flow >> 8);
    key.source.bytes[3] = static_cast<std::uint8_t>(flow);
    key.source_port = static_cast<std::uint16_t>(flow * 31);
    flood.push_back(key);
  }
  return flood;
}

TEST(AccumulatorPropertyTest, FlowsMayComeInAnyOrderAndAnyPieces) {
  for (const std::size_t exact_flows : {10'000, 100}) {
    const FeatureOptions options{.exact_flows = exact_flows};
    const auto packets = FloodOf(3000, 700);
    std::uint32_t whole_approximate = 0, pieces_approximate = 0;
    const auto whole = InParts(packets, true, options, whole_approximate);
    EXPECT_EQ(whole, InParts(packets, false, options, pieces_approximate));
    EXPECT_EQ(whole_approximate, exact_flows == 100 ? kFlowsApproximate : 0u);
    EXPECT_EQ(pieces_approximate, whole_approximate);
  }
}

TEST(AccumulatorPropertyTest, MemoryIsSmallForOnePacketAndBoundedInAFlood) {
  base::Random random(11);
  const FeatureOptions options;
  Accumulator one, flood;
  std::size_t most = 0;
  for (int i = 0; i < 400'000; ++i) {
    packet::BatchFlow flow{.key = Flow()};
    for (std::size_t at = 0; at < 4; ++at)
      flow.key.source.bytes[at] = static_cast<std::uint8_t>(random.Next());
    for (std::size_t at = 0; at < 4; ++at)
      flow.key.destination.bytes[at] = static_cast<std::uint8_t>(random.Next());
    flow.key.source_port = static_cast<std::uint16_t>(random.Next());
    flow.key.destination_port = static_cast<std::uint16_t>(random.Next());
    const auto time = At(1e-3 * static_cast<double>(random.Below(100'000'000)));
    const auto bytes = static_cast<std::uint32_t>(random.Next() >> random.Below(40));
    for (Accumulator* sums : {&one, &flood}) {
      if (sums == &one && i > 0) continue;
      sums->AddPacket({time, bytes, packet::kTcpSyn}, flow.key, 1ms);
      sums->AddFlow(flow, {1, bytes, time}, options);
    }
    most = std::max(most, flood.memory_bytes());
  }
  EXPECT_LT(one.memory_bytes(), 2048u);
  EXPECT_LT(most, std::size_t{10} << 20);
  EXPECT_EQ(flood.approximate(), kPercentilesApproximate | kFlowsApproximate | kHandshakesApproximate);
  EXPECT_NEAR(flood.Features(At(0), 5s)[kFlows] / 400'000, 1, 3 * 0.0081);
}

TEST(AccumulatorPropertyTest, SketchesAreWithinTheStatedErrors) {
  auto packets = FloodOf(100'000, 60'000);
  for (std::size_t i = 0; i < packets.size(); i += 5) packets[i] = Flow(9);
  std::uint32_t approximate = 0;
  const auto exact = InParts(packets, true, {.exact_flows = 1 << 17}, approximate);
  ASSERT_EQ(approximate, 0u);
  const auto sketched = InParts(packets, true, {.exact_flows = 1000}, approximate);
  EXPECT_EQ(approximate, kFlowsApproximate);
  for (const Index feature : {kFlows, kSources, kFlowPacketsMean})
    EXPECT_NEAR(sketched[feature] / exact[feature], 1, 3 * 0.0081) << feature;
  EXPECT_NEAR(sketched[kDestinations], 1, 0.01);
  EXPECT_NEAR(sketched[kSourcePortEntropy], exact[kSourcePortEntropy], 1e-9);
  EXPECT_NEAR(sketched[kFlowDurationMean] / exact[kFlowDurationMean], 1, 0.05);
  EXPECT_GE(sketched[kTopTalkerShare], exact[kTopTalkerShare]);
  EXPECT_NEAR(sketched[kTopTalkerShare], exact[kTopTalkerShare], 0.001);
}

}  // namespace
}  // namespace flowcast::feature
