// packet: tunnels of every kind, nested, damaged and cut short, and their names.
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/packet/decoder.h"
#include "tests/support/frames.h"

namespace flowcast::packet {
namespace {

using namespace support;

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

FlowKey TcpOver(const std::string& source, const std::string& destination, std::uint16_t ether_type) {
  FlowKey key;
  key.source = base::ParseIpAddress(source);
  key.destination = base::ParseIpAddress(destination);
  key.source_port = 4711;
  key.destination_port = 80;
  key.ether_type = ether_type;
  key.protocol = 6;
  return key;
}
FlowKey TcpOverIpv4() { return TcpOver("192.0.2.1", "198.51.100.2", kIpv4); }
FlowKey TcpOverIpv6() { return TcpOver("2001:db8::1", "2001:db8::2", kIpv6); }

Bytes TcpSegment() { return Tcp(4711, 80, kTcpSyn | kTcpAck); }
Bytes Ipv4Packet() { return Ipv4({.traffic_class = 0xb9, .ttl = 57}, TcpSegment()); }
Bytes Ipv6Packet() { return Ipv6({.traffic_class = 0xb9, .hop_limit = 57}, TcpSegment()); }

// What a frame shows with every tunnel opened.
Packet Opened(const Bytes& frame, Tunnels tunnels = Tunnels::All()) {
  Packet packet;
  EXPECT_TRUE(Decode(LinkType::kEthernet, frame, packet, tunnels));
  return packet;
}

Bytes Outer(std::uint8_t protocol, const Bytes& payload) {
  return Ethernet(kIpv4, Ipv4({.protocol = protocol, .source = "10.9.9.9", .ttl = 3}, payload));
}
Bytes OuterUdp(std::uint16_t port, const Bytes& payload) { return Outer(17, Udp(40'000, port) + payload); }

Bytes Gre(std::uint16_t flags, std::uint16_t type, const Bytes& payload) {
  return Number(flags, 2) + Number(type, 2) + payload;
}
Bytes Vxlan(const Bytes& payload) { return Raw({0x08, 0, 0, 0, 0, 0, 42, 0}) + payload; }
Bytes Gtp(int flags, const Bytes& payload) { return Raw({0x30 | flags, 255, 0, 0, 0, 0, 0, 1}) + payload; }
Bytes Geneve(int option_words, std::uint16_t type, const Bytes& payload) {
  return Raw({option_words, 0}) + Number(type, 2) + Zeros(4) +
         Zeros(4U * static_cast<unsigned>(option_words)) + payload;
}

struct TunnelCase {
  std::string name;
  Tunnel tunnel;
  Bytes frame;
};

std::vector<TunnelCase> TunnelCases() {
  const Bytes inner = Ipv4Packet();
  const Bytes frame = Ethernet(kIpv4, inner);
  const Bytes tagged = Ethernet(0x8100, VlanTag(7, kIpv4, inner));
  return {
      {"GRE", Tunnel::kGre, Outer(47, Gre(0, kIpv4, inner))},
      {"GRE with checksum, key and sequence", Tunnel::kGre, Outer(47, Gre(0xb000, kIpv4, Zeros(12) + inner))},
      {"NVGRE", Tunnel::kGre, Outer(47, Gre(0x2000, 0x6558, Zeros(4) + tagged))},
      {"ERSPAN I", Tunnel::kGre, Outer(47, Gre(0, 0x88be, frame))},
      {"ERSPAN II", Tunnel::kGre, Outer(47, Gre(0x1000, 0x88be, Zeros(4) + Zeros(8) + frame))},
      {"ERSPAN III", Tunnel::kGre, Outer(47, Gre(0x1000, 0x22eb, Zeros(4) + Zeros(12) + frame))},
      {"ERSPAN III, platform", Tunnel::kGre,
       Outer(47, Gre(0x1000, 0x22eb, Zeros(4) + Zeros(11) + Raw({1}) + Zeros(8) + frame))},
      {"PPTP", Tunnel::kGre,
       Outer(47, Gre(0x3081, 0x880b, Zeros(12) + Raw({0xff, 0x03, 0x00, 0x21}) + inner))},
      {"MPLS over GRE", Tunnel::kGre, Outer(47, Gre(0, 0x8847, Raw({0, 1, 0x01, 64}) + inner))},
      {"VXLAN", Tunnel::kVxlan, OuterUdp(4789, Vxlan(tagged))},
      {"GTP", Tunnel::kGtp, OuterUdp(2152, Gtp(0, inner))},
      {"GTP with a sequence number", Tunnel::kGtp, OuterUdp(2152, Gtp(2, Zeros(4) + inner))},
      {"GTP with extensions", Tunnel::kGtp,
       OuterUdp(2152, Gtp(4, Raw({0, 0, 0, 0x85, 1, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0}) + inner))},
      {"4in4", Tunnel::kIpip, Outer(4, inner)},
      {"4in6", Tunnel::kIpip, Ethernet(kIpv6, Ipv6({.next_header = 60}, Extension(4, 0, inner)))},
      {"Geneve", Tunnel::kGeneve, OuterUdp(6081, Geneve(2, 0x6558, frame))},
      {"Geneve of IP", Tunnel::kGeneve, OuterUdp(6081, Geneve(0, kIpv4, inner))},
  };
}

TEST(Tunnels, ShowTheInnerPacketOnlyWhenAskedTo) {
  for (const TunnelCase& tunnel : TunnelCases()) {
    SCOPED_TRACE(tunnel.name);
    const Packet packet = Opened(tunnel.frame, Tunnels().With(tunnel.tunnel));
    EXPECT_EQ(packet.flow, TcpOverIpv4());
    EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
    EXPECT_EQ(packet.traffic_class, 0xb9);
    EXPECT_EQ(packet.ttl, 57);
    EXPECT_EQ(packet.vlan, 0) << "the link's own, not the tunnelled one";
    const Packet closed = Opened(tunnel.frame, {});
    EXPECT_NE(closed.flow.protocol, 6);
    for (const Tunnel other : {Tunnel::kGre, Tunnel::kVxlan, Tunnel::kGtp, Tunnel::kIpip, Tunnel::kGeneve}) {
      const FlowKey flow = Opened(tunnel.frame, Tunnels().With(other)).flow;
      EXPECT_EQ(flow == closed.flow, other != tunnel.tunnel);
    }
  }
}

TEST(Tunnels, CarryIpv6Too) {
  EXPECT_EQ(Opened(Outer(41, Ipv6Packet())).flow, TcpOverIpv6());
  EXPECT_EQ(Opened(Ethernet(kIpv6, Ipv6({.next_header = 41}, Ipv6Packet()))).flow, TcpOverIpv6());
  EXPECT_EQ(Opened(OuterUdp(2152, Gtp(0, Ipv6Packet()))).flow, TcpOverIpv6());
  EXPECT_EQ(Opened(Outer(47, Gre(0, kIpv6, Ipv6Packet()))).flow, TcpOverIpv6());
}

TEST(Tunnels, KeepTheVlanOfTheLink) {
  const Bytes outer = Ipv4({.protocol = 17}, Udp(1, 4789) + Vxlan(Ethernet(kIpv4, Ipv4Packet())));
  EXPECT_EQ(Opened(Ethernet(0x8100, VlanTag(7, kIpv4, outer))).vlan, 7);
}

TEST(Tunnels, NestFourDeep) {
  Bytes packet = Ipv4Packet();
  for (int level = 1; level <= 4; ++level) {
    packet = Ipv4({.protocol = 4, .source = "10.0.0." + std::to_string(level)}, packet);
    EXPECT_EQ(Opened(Ethernet(kIpv4, packet)).flow, TcpOverIpv4()) << level;
  }
  packet = Ipv4({.protocol = 4, .source = "10.0.0.5"}, packet);
  EXPECT_EQ(Opened(Ethernet(kIpv4, packet)).flow.source, base::ParseIpAddress("10.0.0.1"));
}

TEST(Tunnels, StayClosedWhereNoIpIsInside) {
  const Bytes arp = Ethernet(0x0806, Zeros(28));
  for (const Bytes& frame : {
           OuterUdp(4789, Vxlan(arp)),
           OuterUdp(4789, Zeros(8) + Ethernet(kIpv4, Ipv4Packet())),                 // no network identifier
           OuterUdp(2152, Raw({0x30, 1, 0, 0, 0, 0, 0, 1}) + Ipv4Packet()),          // an echo request
           OuterUdp(2152, Raw({0x50, 255, 0, 0, 0, 0, 0, 1}) + Ipv4Packet()),        // version 2
           OuterUdp(2152, Gtp(4, Raw({0, 0, 0, 0x85, 0, 0, 0, 0}) + Ipv4Packet())),  // extension of 0 bytes
           OuterUdp(6081, Raw({0x40, 0, 0x08, 0, 0, 0, 0, 0}) + Ipv4Packet()),       // version 1
           OuterUdp(5000, Vxlan(Ethernet(kIpv4, Ipv4Packet()))),
           Outer(47, Gre(0x4000, kIpv4, Zeros(4) + Ipv4Packet())),  // source routes
           Outer(47, Gre(0x0002, kIpv4, Ipv4Packet())),             // version 2
           Outer(4, Raw({0x41}) + Zeros(40)),
       }) {
    EXPECT_EQ(Opened(frame).flow, Opened(frame, {}).flow);
    EXPECT_EQ(Opened(frame).ttl, 3);
  }
}

TEST(Tunnels, StayClosedInLaterFragments) {
  const Bytes later = Ethernet(kIpv4, Ipv4({.protocol = 4, .fragment_offset = 3}, Ipv4Packet()));
  EXPECT_EQ(Opened(later).flow.protocol, 4);
}

TEST(Tunnels, CutAnywhereShowTheOuterPacketOrAsMuchOfTheInnerAsIsThere) {
  for (const TunnelCase& tunnel : TunnelCases()) {
    for (std::size_t length = 54; length <= tunnel.frame.size(); ++length) {
      const Bytes cut = First(tunnel.frame, length);
      const FlowKey flow = Opened(cut).flow;
      EXPECT_TRUE(flow == Opened(cut, {}).flow || flow.source == TcpOverIpv4().source)
          << tunnel.name << ", " << length << " bytes";
    }
  }
}

TEST(Tunnels, AreParsedFromTheirNames) {
  EXPECT_EQ(Tunnels::Parse("all"), Tunnels::All());
  EXPECT_EQ(Tunnels::Parse("gre,vxlan,gtp,ipip,geneve"), Tunnels::All());
  EXPECT_EQ(Tunnels::Parse("gtp"), Tunnels().With(Tunnel::kGtp));
  EXPECT_FALSE(Tunnels::Parse("none").Any());
  EXPECT_FALSE(Tunnels::Parse("").Any());
  for (const std::string wrong : {"l2tp", "gre,", "GRE", "gre vxlan", ","}) {
    EXPECT_THROW(Tunnels::Parse(wrong), base::ConfigError) << wrong;
  }
  try {
    Tunnels::Parse("gre,l2tp");
  } catch (const base::ConfigError& error) {
    EXPECT_STREQ(error.what(), "'l2tp' is no tunnel; write all, none, or some of gre,vxlan,gtp,ipip,geneve");
  }
}

}  // namespace
}  // namespace flowcast::packet
