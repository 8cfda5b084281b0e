// What a source's flows have done, and the table that remembers them.
#include <gtest/gtest.h>

#include <string>

#include "libs/capture/flow_table.h"
#include "tests/support/fake_source.h"

namespace flowcast::capture {
namespace {

using support::At;
using support::PacketAt;

/// What comes of a flow's packets one after the other: b begins, r repeats, B both, - neither.
class FlowHistoryTest : public testing::Test {
 public:
  FlowHistoryTest& Send(double seconds, std::uint32_t sequence, std::uint32_t length,
                        std::uint8_t flags = packet::kTcpAck) {
    packet::Packet packet = PacketAt(seconds);
    packet.tcp_sequence = sequence;
    packet.tcp_length = length;
    packet.tcp_flags = flags;
    seen_ += "-brB"[flow_.Follow(packet, seen_.empty())];
    return *this;
  }

 protected:
  KnownFlow flow_;
  std::string seen_;
};

TEST_F(FlowHistoryTest, AFlowBeginsOnceAndAgainAfterAMinuteOfSilence) {
  Send(0, 0, 0).Send(59, 0, 0).Send(118.9, 0, 0).Send(178.9, 0, 0).Send(179, 0, 0);
  EXPECT_EQ(seen_, "b--b-");
  EXPECT_EQ(flow_.ToSend().started, At(178.9));
}

TEST_F(FlowHistoryTest, ASynBeginsAFlowAnewUnlessItIsSentAgain) {
  Send(0, 99, 1, packet::kTcpSyn)
      .Send(1, 99, 1, packet::kTcpSyn)
      .Send(1.1, 100, 0)
      .Send(2, 5000, 1, packet::kTcpSyn);
  EXPECT_EQ(seen_, "br-b");
}

TEST_F(FlowHistoryTest, DataSentAgainRepeats) {
  Send(0, 0, 100)
      .Send(1, 100, 100)
      .Send(2, 200, 0)
      .Send(3, 100, 100)
      .Send(4, 0, 300)
      .Send(5, 250, 100)
      .Send(6, 350, 10);
  EXPECT_EQ(seen_, "b--rrr-") << "also where new data follow in the same segment";
}

TEST_F(FlowHistoryTest, AHoleThatIsFilledRepeatsNothing) {
  Send(0, 0, 100).Send(1, 300, 100).Send(2, 100, 100).Send(3, 200, 100).Send(4, 200, 100).Send(5, 400, 100);
  EXPECT_EQ(seen_, "b---r-");
}

TEST_F(FlowHistoryTest, AHoleIsFilledFromTheBackToo) {
  Send(0, 0, 100).Send(1, 300, 100).Send(2, 200, 100).Send(3, 100, 100).Send(4, 100, 100);
  EXPECT_EQ(seen_, "b---r");
}

TEST_F(FlowHistoryTest, SequenceNumbersWrapAround) {
  Send(0, 0xffffff00, 0x80).Send(1, 0xffffff80, 0x100).Send(2, 0x80, 16).Send(3, 0xffffff80, 0x100);
  EXPECT_EQ(seen_, "b--r");
}

TEST_F(FlowHistoryTest, AProbeThatKeepsAConnectionAliveRepeatsNothing) {
  Send(0, 0, 100).Send(10, 99, 1).Send(20, 99, 1);
  EXPECT_EQ(seen_, "b--");
}

KnownFlow& FindIn(FlowTable& table, const packet::Packet& packet, bool& added) {
  return table.Find(packet, FlowTable::HashOf(packet), added);
}

TEST(FlowTableTest, FindsEveryFlowAgainAlsoAfterItGrew) {
  FlowTable table;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5000; ++i) {
      bool added = false;
      KnownFlow& flow = FindIn(table, PacketAt(0, static_cast<std::uint16_t>(i % 2), i), added);
      EXPECT_EQ(added, round == 0);
      if (added) flow.index = static_cast<std::uint32_t>(i);
      EXPECT_EQ(flow.index, static_cast<std::uint32_t>(i));
    }
  }
  EXPECT_EQ(table.size(), 5000u);
}

TEST(FlowTableTest, ForgetsTheFlowsThatWereSilentLongest) {
  FlowTable table;
  bool added = false;
  const auto take = [&](int i, double seconds) {
    packet::Packet packet = PacketAt(seconds);
    packet.flow.source_port = static_cast<std::uint16_t>(i);
    packet.flow.destination_port = static_cast<std::uint16_t>(i >> 16);
    FindIn(table, packet, added).Follow(packet, added);
    return added;
  };
  const int most = FlowTable::kMost;
  for (int i = 0; i < most; ++i) take(i, 1e-3 * i);
  take(0, 1e-3 * most);
  take(most, 1e-3 * most);
  EXPECT_EQ(table.size(), FlowTable::kMost / 2);
  EXPECT_FALSE(take(0, 1e-3 * most)) << "it was silent long, but not lately";
  EXPECT_FALSE(take(most - 1, 1e-3 * most));
  EXPECT_TRUE(take(1, 1e-3 * most));
}

TEST(FlowTableTest, ForgetsEverythingBeforeItGetsTooLarge) {
  FlowTable table;
  bool added = false;
  packet::Packet packet = PacketAt(0);
  for (std::uint32_t i = 0; i <= FlowTable::kMost; ++i) {
    packet.flow.source_port = static_cast<std::uint16_t>(i);
    packet.flow.destination_port = static_cast<std::uint16_t>(i >> 16);
    FindIn(table, packet, added);
    EXPECT_TRUE(added);
  }
  EXPECT_EQ(table.size(), 1u);
}

}  // namespace
}  // namespace flowcast::capture
