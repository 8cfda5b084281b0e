// packet: frames of every link type, whole, nested, damaged and cut short.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/base/random.h"
#include "libs/packet/decoder.h"
#include "libs/packet/kind.h"
#include "tests/support/frames.h"

namespace flowcast::packet {
namespace {

using namespace support;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

Packet Decoded(LinkType link_type, const Bytes& frame) {
  Packet packet;
  EXPECT_TRUE(Decode(link_type, frame, packet).has_value());
  return packet;
}
Packet Decoded(const Bytes& frame) { return Decoded(LinkType::kEthernet, frame); }

FlowKey Conversation(const std::string& source, const std::string& destination, std::uint16_t ether_type) {
  FlowKey key;
  key.source = base::ParseIpAddress(source);
  key.destination = base::ParseIpAddress(destination);
  key.ether_type = ether_type;
  return key;
}

FlowKey TcpOverIpv4() {
  FlowKey key = Conversation("192.0.2.1", "198.51.100.2", kIpv4);
  key.source_port = 4711;
  key.destination_port = 80;
  key.protocol = 6;
  return key;
}

FlowKey TcpOverIpv6() {
  FlowKey key = TcpOverIpv4();
  key.source = base::ParseIpAddress("2001:db8::1");
  key.destination = base::ParseIpAddress("2001:db8::2");
  key.ether_type = kIpv6;
  return key;
}

Bytes TcpSegment() { return Tcp(4711, 80, kTcpSyn | kTcpAck); }
Bytes Ipv4Packet() { return Ipv4({.traffic_class = 0xb9, .ttl = 57}, TcpSegment()); }
Bytes Ipv6Packet() { return Ipv6({.traffic_class = 0xb9, .hop_limit = 57}, TcpSegment()); }

void ExpectTcpOverIpv4(LinkType link_type, const Bytes& frame) {
  EXPECT_EQ(Decoded(link_type, frame).flow, TcpOverIpv4()) << "link type " << static_cast<int>(link_type);
}
void ExpectTcpOverIpv6(LinkType link_type, const Bytes& frame) {
  EXPECT_EQ(Decoded(link_type, frame).flow, TcpOverIpv6()) << "link type " << static_cast<int>(link_type);
}
void ExpectOther(LinkType link_type, const Bytes& frame, std::uint16_t ether_type) {
  FlowKey other;
  other.ether_type = ether_type;
  EXPECT_EQ(Decoded(link_type, frame).flow, other) << "link type " << static_cast<int>(link_type);
}

TEST(Decode, TellsEverythingAboutTcpOverIpv4) {
  const Packet packet = Decoded(Ethernet(kIpv4, Ipv4Packet()));
  EXPECT_EQ(packet.flow, TcpOverIpv4());
  EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(packet.traffic_class, 0xb9);
  EXPECT_EQ(packet.ttl, 57);
  EXPECT_EQ(packet.vlan, 0);
}

TEST(Decode, TellsEverythingAboutTcpOverIpv6) {
  const Packet packet = Decoded(Ethernet(kIpv6, Ipv6Packet()));
  EXPECT_EQ(packet.flow, TcpOverIpv6());
  EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(packet.traffic_class, 0xb9);
  EXPECT_EQ(packet.ttl, 57);
}

TEST(Decode, LeavesWhatIsTheCallersAlone) {
  Packet packet;
  packet.time = base::FromUnixNanoseconds(5);
  packet.wire_length_bytes = 1500;
  packet.interface = 3;
  ASSERT_TRUE(Decode(LinkType::kEthernet, Ethernet(kIpv4, Ipv4Packet()), packet));
  EXPECT_EQ(packet.time, base::FromUnixNanoseconds(5));
  EXPECT_EQ(packet.wire_length_bytes, 1500U);
  EXPECT_EQ(packet.interface, 3);
}

TEST(Decode, ForgetsThePacketBefore) {
  Packet packet;
  ASSERT_TRUE(Decode(LinkType::kEthernet, Ethernet(0x8100, VlanTag(7, kIpv6, Ipv6Packet())), packet));
  ASSERT_TRUE(Decode(LinkType::kEthernet, Ethernet(0x0806, Zeros(28)), packet));
  FlowKey arp;
  arp.ether_type = 0x0806;
  EXPECT_EQ(packet.flow, arp);
  EXPECT_EQ(packet.vlan + packet.tcp_flags + packet.traffic_class + packet.ttl, 0);
}

TEST(Decode, FindsPortsOfUdpAndSctpButNoneOfIcmp) {
  for (const std::uint8_t protocol : {std::uint8_t{17}, std::uint8_t{132}}) {
    const FlowKey flow = Decoded(Ethernet(kIpv4, Ipv4({.protocol = protocol}, Udp(53, 4711)))).flow;
    EXPECT_EQ(flow.source_port, 53);
    EXPECT_EQ(flow.destination_port, 4711);
    EXPECT_EQ(flow.protocol, protocol);
  }
  const FlowKey icmp = Decoded(Ethernet(kIpv4, Ipv4({.protocol = 1}, Raw({8, 0, 1, 2, 3, 4, 5, 6})))).flow;
  EXPECT_EQ(icmp.source_port + icmp.destination_port, 0);
  EXPECT_EQ(icmp.protocol, 1);
}

TEST(Decode, SkipsIpv4Options) {
  ExpectTcpOverIpv4(LinkType::kEthernet,
                    Ethernet(kIpv4, Ipv4({.options = Raw({7, 7, 4, 9, 9, 9, 9, 0})}, TcpSegment())));
}

TEST(Decode, ReadsPortsInTheFirstFragmentOnly) {
  const Packet first = Decoded(Ethernet(kIpv4, Ipv4({.more_fragments = true}, TcpSegment())));
  EXPECT_EQ(first.flow, TcpOverIpv4());
  const Packet later = Decoded(Ethernet(kIpv4, Ipv4({.fragment_offset = 2}, TcpSegment())));
  EXPECT_EQ(later.flow.source_port + later.flow.destination_port, 0);
  EXPECT_EQ(later.flow.protocol, 6);
  EXPECT_EQ(later.tcp_flags, 0);
}

TEST(Decode, DoesNotTakePaddingForPorts) {
  const Packet packet = Decoded(Ethernet(kIpv4, Ipv4({.total_length = 20}, Raw({1, 2, 3, 4, 5, 6}))));
  EXPECT_EQ(packet.flow.protocol, 6);
  EXPECT_EQ(packet.flow.source_port, 0);
}

TEST(Decode, BelievesTheCaptureWhenSegmentationOffloadLeftTheLengthEmpty) {
  ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(kIpv4, Ipv4({.total_length = 0}, TcpSegment())));
}

TEST(Decode, WalksIpv6ExtensionHeaders) {
  const Bytes authentication = Raw({6, 4}) + Zeros(22) + TcpSegment();
  const Bytes fragment = Raw({51, 0, 0, 1, 0, 0, 0, 9}) + authentication;
  const Bytes headers = Extension(43, 0, Extension(60, 1, Extension(44, 0, fragment)));
  ExpectTcpOverIpv6(LinkType::kEthernet, Ethernet(kIpv6, Ipv6({.next_header = 0}, headers)));
}

TEST(Decode, ReadsNoPortsInALaterIpv6Fragment) {
  const Bytes later = Raw({6, 0, 0, 8, 0, 0, 0, 9}) + TcpSegment();
  const FlowKey flow = Decoded(Ethernet(kIpv6, Ipv6({.next_header = 44}, later))).flow;
  EXPECT_EQ(flow.protocol, 6);
  EXPECT_EQ(flow.source_port, 0);
}

TEST(Decode, StopsAtAnExtensionHeaderThatIsCutShort) {
  const FlowKey flow = Decoded(Ethernet(kIpv6, Ipv6({.next_header = 60}, Raw({6, 9}) + Zeros(6)))).flow;
  EXPECT_EQ(flow.protocol, 60);
  EXPECT_EQ(flow.source, base::ParseIpAddress("2001:db8::1"));
}

TEST(Decode, LooksBehindVlanTagsAndKeepsTheOutermost) {
  const Bytes inner = VlanTag(0x0064, kIpv4, Ipv4Packet());
  const Packet single = Decoded(Ethernet(0x8100, inner));
  EXPECT_EQ(single.flow, TcpOverIpv4());
  EXPECT_EQ(single.vlan, 100);
  for (const int outer : {0x88a8, 0x9100, 0x8100}) {
    const Packet nested =
        Decoded(Ethernet(static_cast<std::uint16_t>(outer), VlanTag(0xe007, 0x8100, inner)));
    EXPECT_EQ(nested.flow, TcpOverIpv4());
    EXPECT_EQ(nested.vlan, 7);
  }
}

TEST(Decode, LooksBehindMplsLabels) {
  const Bytes labels = Raw({0, 1, 0x00, 64, 0, 2, 0x01, 64});
  ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(0x8847, labels + Ipv4Packet()));
  ExpectTcpOverIpv6(LinkType::kEthernet, Ethernet(0x8848, labels + Ipv6Packet()));
  ExpectOther(LinkType::kEthernet, Ethernet(0x8847, labels + Zeros(20)), 0x8847);
  ExpectOther(LinkType::kEthernet, Ethernet(0x8847, Raw({0, 1, 0})), 0x8847);
}

TEST(Decode, LooksIntoPppoeSessionsButNotDiscovery) {
  const Bytes session = Raw({0x11, 0, 0, 1, 0, 42});
  ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(0x8864, session + Raw({0x00, 0x21}) + Ipv4Packet()));
  ExpectTcpOverIpv6(LinkType::kEthernet, Ethernet(0x8864, session + Raw({0x00, 0x57}) + Ipv6Packet()));
  ExpectOther(LinkType::kEthernet, Ethernet(0x8864, session + Raw({0xc0, 0x21, 1, 1})), 0x8864);
  ExpectOther(LinkType::kEthernet, Ethernet(0x8863, session), 0x8863);
}

TEST(Decode, KeepsWhatIsNotIpByItsEtherType) {
  ExpectOther(LinkType::kEthernet, Ethernet(0x0806, Zeros(28)), 0x0806);
  ExpectOther(LinkType::kEthernet, Ethernet(0x8100, VlanTag(1, 0x0806, Zeros(28))), 0x0806);
  ExpectOther(LinkType::kEthernet, Ethernet(38, Raw({0x42, 0x42, 0x03}) + Zeros(35)), 0);
  ExpectOther(LinkType::kEthernet, Ethernet(56, LlcSnap(0x0000, Zeros(20))), 0);
}

TEST(Decode, LooksBehindSnapOnEthernet) {
  ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(56, LlcSnap(kIpv4, Ipv4Packet())));
  ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(0x8100, VlanTag(1, 56, LlcSnap(kIpv4, Ipv4Packet()))));
  ExpectOther(LinkType::kEthernet, Ethernet(56, LlcSnap(0x809b, Zeros(20))), 0x809b);
  const Bytes cisco = Raw({0xaa, 0xaa, 0x03, 0, 0, 0x0c, 0x20, 0x00});
  ExpectOther(LinkType::kEthernet, Ethernet(56, cisco + Zeros(20)), 0);
}

TEST(Decode, LooksIntoEthernetOverMpls) {
  const Bytes label = Raw({0, 1, 0x01, 64});
  const Bytes frame = Ethernet(0x8100, VlanTag(7, kIpv4, Ipv4Packet()));
  const Bytes control_word = Zeros(4);
  for (const Bytes& pseudowire : {control_word + frame, frame}) {
    ExpectTcpOverIpv4(LinkType::kEthernet, Ethernet(0x8847, label + pseudowire));
    EXPECT_EQ(Decoded(Ethernet(0x8847, label + pseudowire)).vlan, 7);
  }
  ExpectOther(LinkType::kEthernet, Ethernet(0x8847, label + control_word + Ethernet(0x0806, Zeros(28))),
              0x0806);
  ExpectOther(LinkType::kEthernet, Ethernet(0x8847, label + Zeros(40)), 0x8847);
}

TEST(Decode, DoesNotFollowEncapsulationsWithoutEnd) {
  Bytes frame;
  for (int i = 0; i < 50'000; ++i) {
    for (const std::byte byte : VlanTag(1, 8, Raw({0xaa, 0xaa, 0x03, 0, 0, 0, 0x81, 0x00})))
      frame.push_back(byte);
  }
  EXPECT_EQ(Decoded(Ethernet(0x8100, frame)).vlan, 1);
  Bytes pseudowires;
  for (int i = 0; i < 50'000; ++i) {
    for (const std::byte byte : Raw({0, 1, 0x01, 64}) + Ethernet(0x8100, VlanTag(1, 0x8847, {})))
      pseudowires.push_back(byte);
  }
  EXPECT_EQ(Decoded(Ethernet(0x8847, pseudowires)).flow.ether_type, 0x8847);
}

TEST(Decode, LooksIntoLoopbackFramesOfEveryByteOrderAndSystem) {
  for (const LinkType link_type : {LinkType::kNull, LinkType::kLoop}) {
    ExpectTcpOverIpv4(link_type, Raw({0, 0, 0, 2}) + Ipv4Packet());
    ExpectTcpOverIpv4(link_type, Raw({2, 0, 0, 0}) + Ipv4Packet());
    for (const int family : {10, 23, 24, 28, 30}) {
      ExpectTcpOverIpv6(link_type, Raw({0, 0, 0, family}) + Ipv6Packet());
      ExpectTcpOverIpv6(link_type, Raw({family, 0, 0, 0}) + Ipv6Packet());
    }
    ExpectOther(link_type, Raw({7, 0, 0, 0}) + Ipv4Packet(), 0);
  }
}

TEST(Decode, LooksIntoPppWithAndWithoutFraming) {
  ExpectTcpOverIpv4(LinkType::kPpp, Raw({0xff, 0x03, 0x00, 0x21}) + Ipv4Packet());
  ExpectTcpOverIpv4(LinkType::kPpp, Raw({0x00, 0x21}) + Ipv4Packet());
  ExpectTcpOverIpv6(LinkType::kPpp, Raw({0x57}) + Ipv6Packet());
  ExpectTcpOverIpv4(LinkType::kPpp, Raw({0xff, 0x03, 0x02, 0x81, 0, 1, 0x01, 64}) + Ipv4Packet());
  ExpectOther(LinkType::kPpp, Raw({0xff, 0x03, 0xc0, 0x21, 1, 1}), 0);
}

TEST(Decode, LooksIntoRawIpByItsVersion) {
  for (const LinkType link_type : {LinkType::kRaw, LinkType::kRawBsd, LinkType::kRawOpenBsd}) {
    ExpectTcpOverIpv4(link_type, Ipv4Packet());
    ExpectTcpOverIpv6(link_type, Ipv6Packet());
    ExpectOther(link_type, Raw({0x10, 0, 0, 0}), 0);
  }
  ExpectTcpOverIpv4(LinkType::kIpv4, Ipv4Packet());
  ExpectTcpOverIpv6(LinkType::kIpv6, Ipv6Packet());
  ExpectOther(LinkType::kIpv4, Ipv6Packet(), kIpv4);
}

TEST(Decode, LooksIntoLinuxCookedCaptures) {
  ExpectTcpOverIpv4(LinkType::kLinuxSll,
                    Raw({0, 0, 0, 1, 0, 6}) + Zeros(8) + Number(kIpv4, 2) + Ipv4Packet());
  ExpectTcpOverIpv6(LinkType::kLinuxSll2, Number(kIpv6, 2) + Zeros(18) + Ipv6Packet());
  ExpectOther(LinkType::kLinuxSll, Zeros(14) + Number(4, 2) + Zeros(20), 0);
}

TEST(Decode, LooksIntoWideAreaLinks) {
  for (const LinkType link_type : {LinkType::kCiscoHdlc, LinkType::kPppHdlc}) {
    ExpectTcpOverIpv4(link_type, Raw({0x0f, 0}) + Number(kIpv4, 2) + Ipv4Packet());
    ExpectTcpOverIpv6(link_type, Raw({0x8f, 0}) + Number(kIpv6, 2) + Ipv6Packet());
  }
  ExpectTcpOverIpv4(LinkType::kPppHdlc, Raw({0xff, 0x03, 0x00, 0x21}) + Ipv4Packet());
  ExpectTcpOverIpv4(LinkType::kFrameRelay, Raw({0x18, 0x41, 0x03, 0xcc}) + Ipv4Packet());
  ExpectTcpOverIpv6(LinkType::kFrameRelay, Raw({0x18, 0x40, 0x00, 0x01, 0x03, 0x00, 0x8e}) + Ipv6Packet());
  ExpectTcpOverIpv4(LinkType::kFrameRelay,
                    Raw({0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0}) + Number(kIpv4, 2) + Ipv4Packet());
  ExpectOther(LinkType::kFrameRelay, Raw({0x18, 0x41, 0x03, 0x81}) + Ipv4Packet(), 0);
  ExpectOther(LinkType::kFrameRelay, Raw({0x18, 0x41, 0x3f, 0xcc}) + Ipv4Packet(), 0);
  ExpectTcpOverIpv4(LinkType::kSlip, Zeros(16) + Ipv4Packet());
  ExpectTcpOverIpv4(LinkType::kAtmRfc1483, LlcSnap(kIpv4, Ipv4Packet()));
}

TEST(Decode, LooksIntoFddiAndInfiniband) {
  ExpectTcpOverIpv4(LinkType::kFddi, Zeros(13) + LlcSnap(kIpv4, Ipv4Packet()));
  ExpectTcpOverIpv6(LinkType::kIpOverInfiniband, Zeros(20) + Number(kIpv6, 2) + Zeros(2) + Ipv6Packet());
}

TEST(Decode, LooksForThePayloadOfNflog) {
  const Bytes prefix = Raw({5, 0, 10, 0, 'x', 0, 0, 0});
  const auto attribute = [](std::size_t length) {
    return Number(4 + length, 2, Order::kLittle) + Raw({9, 0});
  };
  const Bytes payload = attribute(Ipv4Packet().size());
  ExpectTcpOverIpv4(LinkType::kNflog, Raw({2, 0, 0, 0}) + prefix + payload + Ipv4Packet());
  ExpectTcpOverIpv6(LinkType::kNflog, Raw({10, 0, 0, 0}) + attribute(Ipv6Packet().size()) + Ipv6Packet());
  ExpectOther(LinkType::kNflog, Raw({2, 0, 0, 0}) + Raw({3, 0, 10, 0}) + payload + Ipv4Packet(), 0);
  ExpectOther(LinkType::kNflog, Raw({2, 0, 0, 0}) + payload + Zeros(3), 0);
}

TEST(Decode, TakesTheLinkTypeThatPpiNames) {
  const auto header = [](int link_type) { return Raw({0, 0, 12, 0, link_type, 0, 0, 0}) + Zeros(4); };
  ExpectTcpOverIpv4(LinkType::kPpi, header(1) + Ethernet(kIpv4, Ipv4Packet()));
  ExpectOther(LinkType::kPpi, header(147) + Ethernet(kIpv4, Ipv4Packet()), 0);
  ExpectOther(LinkType::kPpi, header(192) + header(1) + Ethernet(kIpv4, Ipv4Packet()), 0);
}

// Frame control, then a header of 24 bytes and what the control asks for on top.
Bytes WirelessData(int first, int second, std::size_t more) {
  return Raw({first, second}) + Zeros(22 + more);
}

TEST(Decode, LooksIntoWirelessDataFrames) {
  const Bytes inner = LlcSnap(kIpv4, Ipv4Packet());
  ExpectTcpOverIpv4(LinkType::kIeee80211, WirelessData(0x08, 0x01, 0) + inner);
  ExpectTcpOverIpv4(LinkType::kIeee80211, WirelessData(0x88, 0x02, 2) + inner);
  ExpectTcpOverIpv4(LinkType::kIeee80211, WirelessData(0x88, 0x83, 12) + inner);
}

TEST(Decode, KeepsOtherWirelessFramesWithoutLookingIn) {
  const Bytes inner = LlcSnap(kIpv4, Ipv4Packet());
  ExpectOther(LinkType::kIeee80211, WirelessData(0x80, 0x00, 0) + inner, 0);  // beacon
  ExpectOther(LinkType::kIeee80211, Raw({0xd4, 0}) + Zeros(8), 0);            // acknowledgement
  ExpectOther(LinkType::kIeee80211, WirelessData(0x08, 0x41, 0) + inner, 0);  // encrypted
  ExpectOther(LinkType::kIeee80211, WirelessData(0x48, 0x01, 0) + inner, 0);  // null function
  ExpectOther(LinkType::kIeee80211, WirelessData(0x88, 0x01, 0) + Raw({0x80, 0}) + inner, 0);  // aggregated
  ExpectOther(LinkType::kIeee80211, WirelessData(0x08, 0x01, 0) + Raw({0x42, 0x42, 3}) + inner,
              0);  // no SNAP
}

TEST(Decode, SkipsRadiotapAndThePaddingItDeclares) {
  const Bytes inner = LlcSnap(kIpv4, Ipv4Packet());
  const Bytes plain = Raw({0, 0, 9, 0, 0x02, 0, 0, 0, 0x10});
  ExpectTcpOverIpv4(LinkType::kRadiotap, plain + WirelessData(0x08, 0x01, 0) + inner);
  // A time stamp before the flags, a second word of presence, and 26 bytes of header padded to 28.
  const Bytes padded = Raw({0, 0, 25, 0, 0x03, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0}) + Zeros(8) + Raw({0x20});
  ExpectTcpOverIpv4(LinkType::kRadiotap, padded + WirelessData(0x88, 0x01, 2) + Zeros(2) + inner);
}

TEST(Decode, RefusesLinkTypesItDoesNotKnow) {
  Packet packet;
  const auto result = Decode(static_cast<LinkType>(147), Ipv4Packet(), packet);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), DecodeError::kUnknownLinkType);
  EXPECT_EQ(ToString(result.error()), "unknown link type");
  EXPECT_FALSE(IsDecodable(static_cast<LinkType>(147)));
  EXPECT_TRUE(IsDecodable(LinkType::kRadiotap));
}

struct LinkHeader {
  LinkType link_type;
  Bytes frame;
  std::size_t header_bytes;
};

std::vector<LinkHeader> LinkHeaders() {
  const Bytes wireless = WirelessData(0x88, 0x83, 12) + LlcSnap(kIpv4, Ipv4Packet());
  return {{LinkType::kEthernet, Ethernet(0x8100, VlanTag(1, kIpv4, Ipv4Packet())), 14},
          {LinkType::kEthernet, Ethernet(kIpv6, Ipv6({.next_header = 0}, Extension(6, 0, TcpSegment()))), 14},
          {LinkType::kNull, Raw({0, 0, 0, 2}) + Ipv4Packet(), 4},
          {LinkType::kPpp, Raw({0xff, 0x03, 0x00, 0x21}) + Ipv4Packet(), 4},
          {LinkType::kRaw, Ipv6Packet(), 0},
          {LinkType::kIeee80211, wireless, 36},
          {LinkType::kRadiotap, Raw({0, 0, 9, 0, 0x02, 0, 0, 0, 0x10}) + wireless, 45},
          {LinkType::kLinuxSll, Zeros(14) + Number(kIpv4, 2) + Ipv4Packet(), 16},
          {LinkType::kLinuxSll2, Number(kIpv4, 2) + Zeros(18) + Ipv4Packet(), 20},
          {LinkType::kFddi, Zeros(13) + LlcSnap(kIpv4, Ipv4Packet()), 13},
          {LinkType::kCiscoHdlc, Raw({0x0f, 0}) + Number(kIpv4, 2) + Ipv4Packet(), 4},
          {LinkType::kFrameRelay, Raw({0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0}) + Number(kIpv4, 2), 4},
          {LinkType::kSlip, Zeros(16) + Ipv4Packet(), 16},
          {LinkType::kNflog, Raw({2, 0, 0, 0, 44, 0, 9, 0}) + Ipv4Packet(), 4},
          {LinkType::kPpi, Raw({0, 0, 8, 0, 1, 0, 0, 0}) + Ethernet(kIpv4, Ipv4Packet()), 22}};
}

TEST(Decode, OfAFrameCutAnywhereFailsOnlyWithinTheLinkHeader) {
  for (const LinkHeader& header : LinkHeaders()) {
    for (std::size_t length = 0; length <= header.frame.size(); ++length) {
      const Bytes cut = First(header.frame, length);  // its own allocation: sanitizers see a read past it
      Packet packet;
      const auto result = Decode(header.link_type, cut, packet);
      EXPECT_EQ(result.has_value(), length >= header.header_bytes)
          << "link type " << static_cast<int>(header.link_type) << ", " << length << " bytes";
      EXPECT_TRUE(result || result.error() == DecodeError::kTruncatedLinkHeader);
    }
  }
}

TEST(Decode, GoesAsFarAsDamagedHeadersAllow) {
  const Packet no_ports = Decoded(Ethernet(kIpv4, Ipv4({}, Raw({0x12, 0x67}))));
  EXPECT_EQ(no_ports.flow.protocol, 6);
  EXPECT_EQ(no_ports.flow.source_port, 0);
  const Packet no_flags = Decoded(Ethernet(kIpv4, Ipv4({}, First(TcpSegment(), 8))));
  EXPECT_EQ(no_flags.flow, TcpOverIpv4());
  EXPECT_EQ(no_flags.tcp_flags, 0);
  ExpectOther(LinkType::kEthernet, Ethernet(kIpv4, Raw({0x41}) + Zeros(40)), kIpv4);
  ExpectOther(LinkType::kEthernet, Ethernet(kIpv4, First(Ipv4Packet(), 19)), kIpv4);
  ExpectOther(LinkType::kEthernet, Ethernet(kIpv6, First(Ipv6Packet(), 39)), kIpv6);
  ExpectOther(LinkType::kEthernet, Ethernet(0x8100, Raw({0, 1, 8})), 0x8100);
}

Kind KindOfFrame(const Bytes& frame) { return KindOf(Decoded(frame)); }

TEST(Kind, IsOneOfEachPacket) {
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Ipv4Packet())), Kind::kTcp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv6, Ipv6Packet())), Kind::kTcp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Ipv4({.protocol = 17}, Udp(1, 2)))), Kind::kUdp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Ipv4({.protocol = 1}, Zeros(8)))), Kind::kIcmp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv6, Ipv6({.next_header = 58}, Zeros(8)))), Kind::kIcmp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Ipv4({.protocol = 132}, Zeros(8)))), Kind::kSctp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Ipv4({.protocol = 2}, Zeros(8)))), Kind::kOtherIp);
  EXPECT_EQ(KindOfFrame(Ethernet(kIpv4, Zeros(8))), Kind::kOtherIp) << "a damaged header";
  EXPECT_EQ(KindOfFrame(Ethernet(0x0806, Zeros(28))), Kind::kArp);
  EXPECT_EQ(KindOfFrame(Ethernet(0x8847, Zeros(28))), Kind::kMpls);
  EXPECT_EQ(KindOfFrame(Ethernet(0x8863, Zeros(28))), Kind::kPppoe);
  EXPECT_EQ(KindOfFrame(Ethernet(38, Zeros(38))), Kind::kNoEtherType);
  EXPECT_EQ(KindOfFrame(Ethernet(0x88cc, Zeros(28))), Kind::kOther);
}

TEST(Kind, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kKinds; ++i) names.insert(Name(static_cast<Kind>(i)));
  EXPECT_EQ(names.size(), kKinds);
  EXPECT_THAT(names, ::testing::Not(::testing::Contains("")));
}

}  // namespace
}  // namespace flowcast::packet
