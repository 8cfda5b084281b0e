// packet: the hashes of flows.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <set>
#include <unordered_set>

#include "libs/base/random.h"
#include "libs/packet/packet.h"
#include "tests/support/stream.h"

namespace flowcast::packet {
namespace {

FlowKey OverIpv6() {
  FlowKey key = support::Flow();
  key.source = base::ParseIpAddress("2001:db8::1");
  key.destination = base::ParseIpAddress("2001:db8::2");
  return key;
}

TEST(FlowHashTest, DiffersForAFlowAndItsAnswer) {
  const FlowKey flow = support::Flow();
  FlowKey answer = flow;
  std::swap(answer.source, answer.destination);
  std::swap(answer.source_port, answer.destination_port);
  EXPECT_NE(FlowKeyHash()(flow), FlowKeyHash()(answer));
}

TEST(FlowHashTest, SpreadsNeighbouringFlowsOverLowAndHighBits) {
  std::set<std::size_t> low;
  std::set<std::size_t> high;
  FlowKey flow = support::Flow();
  for (int port = 0; port < 4096; ++port) {
    flow.source_port = static_cast<std::uint16_t>(port);
    low.insert(FlowKeyHash()(flow) & 0xffff);
    high.insert(FlowKeyHash()(flow) >> 48);
  }
  EXPECT_GT(low.size(), 3900U);  // 3,970 are expected of a random function
  EXPECT_GT(high.size(), 3900U);
}

TEST(FlowHashTest, FlipsHalfOfItsBitsForEachBitOfTheKey) {
  base::Random random(1);
  for (int byte = 0; byte < 16; ++byte) {
    double flipped = 0;
    for (int trial = 0; trial < 256; ++trial) {
      FlowKey key = OverIpv6();
      for (auto& part : key.source.bytes) part = static_cast<std::uint8_t>(random.Next());
      FlowKey other = key;
      other.source.bytes[static_cast<std::size_t>(byte)] ^= static_cast<std::uint8_t>(1U << (trial % 8));
      flipped += std::popcount(FlowKeyHash()(key) ^ FlowKeyHash()(other));
    }
    EXPECT_NEAR(flipped / 256, 32, 3) << "byte " << byte;
  }
}

TEST(FlowHashTest, KnowsNoNetworkWhoseHostsAreAllTheSame) {
  // The halves at which a product of the address' halves and the constants would be nothing.
  for (const std::uint64_t half :
       {0x243f6a8885a308d3U, 0x13198a2e03707345U, 0xa4093822299f31d1U, 0x082efa98ec4e6c89U}) {
    for (const std::size_t at : {0, 8}) {
      std::set<std::size_t> as_source, as_destination, in_table;
      for (std::uint64_t host = 0; host < 1000; ++host) {
        FlowKey flow = OverIpv6();
        std::memcpy(flow.source.bytes.data() + at, &half, sizeof half);
        std::memcpy(flow.source.bytes.data() + 8 - at, &host, sizeof host);
        as_source.insert(FlowKeyHash()(flow));
        in_table.insert(HashForTable(flow));
        std::swap(flow.source, flow.destination);
        as_destination.insert(FlowKeyHash()(flow));
      }
      EXPECT_EQ(as_source.size(), 1000U);
      EXPECT_EQ(as_destination.size(), 1000U);
      EXPECT_EQ(in_table.size(), 1000U);
    }
  }
}

TEST(FlowHashTest, OfATableIsAnotherOne) {
  EXPECT_NE(FlowKeyHash()(support::Flow()), HashForTable(support::Flow()));
}

TEST(FlowHashTest, WorksInTablesOfFlows) {
  std::unordered_set<FlowKey, FlowKeyHash> flows;
  flows.insert(support::Flow());
  flows.insert(OverIpv6());
  flows.insert(support::Flow());
  EXPECT_EQ(flows.size(), 2U);
}

}  // namespace
}  // namespace flowcast::packet
