// How much of a connection's data a segment carries, and whom a frame was for.
#include <gtest/gtest.h>

#include "libs/packet/decoder.h"
#include "tests/support/frames.h"

namespace flowcast::packet {
namespace {

using namespace support;

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;

Packet Decoded(LinkType link_type, const Bytes& frame) {
  Packet packet;
  EXPECT_TRUE(Decode(link_type, frame, packet));
  return packet;
}
Packet Decoded(const Bytes& frame) { return Decoded(LinkType::kEthernet, frame); }

Bytes Segment(std::uint32_t sequence, std::uint8_t flags, std::size_t payload) {
  return Number(80, 2) + Number(4711, 2) + Number(sequence, 4) + Zeros(4) + Raw({0x60, flags}) +
         Zeros(6 + 4) + Zeros(payload);
}

TEST(Decode, TellsHowManySequenceNumbersASegmentTakes) {
  const auto expect = [](const Bytes& frame, std::uint32_t sequence, std::uint32_t length) {
    const Packet packet = Decoded(frame);
    EXPECT_EQ(packet.tcp_sequence, sequence);
    EXPECT_EQ(packet.tcp_length, length);
  };
  const Bytes data = Ethernet(kIpv4, Ipv4({}, Segment(0xfedcba98, kTcpAck, 10)));
  expect(data, 0xfedcba98, 10);
  expect(data + Zeros(20), 0xfedcba98, 10);           // padding is not the segment's
  expect(First(data, 14 + 20 + 14), 0xfedcba98, 10);  // payload that was not captured is
  expect(First(data, 14 + 20 + 13), 0, 0);
  expect(Ethernet(kIpv4, Ipv4({}, Segment(5, kTcpSyn, 0))), 5, 1);
  expect(Ethernet(kIpv4, Ipv4({}, Segment(5, kTcpFin | kTcpAck, 3))), 5, 4);
  expect(Ethernet(kIpv6, Ipv6({}, Segment(6, kTcpAck, 9))), 6, 9);
  expect(Ethernet(kIpv6, Ipv6({.next_header = 0}, Extension(6, 1, Segment(6, kTcpAck, 9)))), 6, 9);
  expect(Ethernet(kIpv4, Ipv4({.total_length = 0}, Segment(7, kTcpAck, 9))), 0, 0);
  expect(Ethernet(kIpv4, Ipv4({.protocol = 17}, Segment(7, kTcpAck, 9))), 0, 0);
}

TEST(Decode, TellsWhomAFrameWasFor) {
  const auto cast_to = [](std::initializer_list<int> destination) {
    return Decoded(Raw(destination) + Zeros(6) + Number(kIpv4, 2) + Ipv4({}, Udp(1, 2))).cast;
  };
  EXPECT_EQ(cast_to({2, 0, 0, 0, 0, 1}), Cast::kUnicast);
  EXPECT_EQ(cast_to({1, 0, 0x5e, 0, 0, 1}), Cast::kMulticast);
  EXPECT_EQ(cast_to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), Cast::kBroadcast);
  const auto raw_cast = [](const std::string& destination) {
    return Decoded(LinkType::kRaw, Ipv4({.destination = destination}, Udp(1, 2))).cast;
  };
  EXPECT_EQ(raw_cast("198.51.100.2"), Cast::kUnicast);
  EXPECT_EQ(raw_cast("239.1.2.3"), Cast::kMulticast);
  EXPECT_EQ(raw_cast("255.255.255.255"), Cast::kBroadcast);
  EXPECT_EQ(Decoded(LinkType::kRaw, Ipv6({.destination = "ff02::1"}, Udp(1, 2))).cast, Cast::kMulticast);
}

}  // namespace
}  // namespace flowcast::packet
