// pcap::Filter: BPF expressions over frames from files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/pcap/live_source.h"
#include "tests/support/frames.h"

namespace flowcast::pcap {
namespace {

using namespace support;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Bytes Packet(std::uint16_t port) { return Ipv4({.protocol = 17}, Udp(port, 4711)); }

bool Matches(const Filter& filter, const Bytes& frame) {
  return filter.Matches(frame, static_cast<std::uint32_t>(frame.size()));
}

TEST(Filter, PassesWhatTheExpressionSays) {
  const Filter filter("udp src port 53", packet::LinkType::kEthernet, 65535);
  EXPECT_TRUE(Matches(filter, Ethernet(0x0800, Packet(53))));
  EXPECT_FALSE(Matches(filter, Ethernet(0x0800, Packet(54))));
  EXPECT_FALSE(Matches(filter, Ethernet(0x0806, Zeros(28))));
}

TEST(Filter, IsCompiledForTheLinkType) {
  for (const auto link_type : {packet::LinkType::kRaw, packet::LinkType::kIpv4}) {
    EXPECT_TRUE(Matches(Filter("udp src port 53", link_type, 65535), Packet(53)));
  }
  const Bytes cooked = Zeros(14) + Number(0x0800, 2) + Packet(53);
  EXPECT_TRUE(Matches(Filter("udp src port 53", packet::LinkType::kLinuxSll, 65535), cooked));
}

TEST(Filter, SeesTheLengthOnTheWireAndNotPastTheCapturedBytes) {
  const Filter long_frames("greater 1000", packet::LinkType::kEthernet, 65535);
  const Bytes frame = Ethernet(0x0800, Packet(53));
  EXPECT_TRUE(long_frames.Matches(frame, 1500));
  EXPECT_FALSE(long_frames.Matches(frame, 60));
  const Filter by_port("udp port 53", packet::LinkType::kEthernet, 65535);
  EXPECT_FALSE(by_port.Matches(First(frame, 20), 60));
  EXPECT_FALSE(by_port.Matches({}, 60));
}

TEST(Filter, ThatDoesNotCompileIsRefusedInLibpcapsWords) {
  try {
    const Filter filter("udp prot 53", packet::LinkType::kEthernet, 65535);
    FAIL() << "it compiled";
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), StartsWith("filter 'udp prot 53' does not compile: "));
    EXPECT_THAT(error.what(), HasSubstr("syntax error"));
  }
}

}  // namespace
}  // namespace flowcast::pcap
