// Made-up packets: repeatable, in order, of the asked-for mix; and scenarios that make no sense.
#include "libs/synthetic/synthetic_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/synthetic/arithmetic.h"
#include "libs/synthetic/truth.h"

namespace flowcast::synthetic {
namespace {

using namespace std::chrono_literals;
using capture::PollState;
using testing::ElementsAre;
using testing::HasSubstr;

Scenario Of(const LinkGroup& group, base::Duration duration, std::uint64_t seed = 1) {
  Scenario scenario;
  scenario.duration = duration;
  scenario.seed = seed;
  scenario.groups.push_back(group);
  return scenario;
}

std::vector<packet::Packet> PacketsOf(const Scenario& scenario, std::size_t limit = 1000) {
  SyntheticSource source(scenario);
  std::vector<packet::Packet> packets;
  while (source.Poll(limit, packets) != PollState::kEnd) {
  }
  EXPECT_EQ(source.statistics().received, packets.size());
  return packets;
}

std::string Text(const packet::Packet& packet) {
  std::ostringstream text;
  text << base::ToUnixNanoseconds(packet.time) << ' ' << packet.wire_length_bytes << ' '
       << packet.interface << ' ' << base::FormatIpAddress(packet.flow.source) << ' '
       << base::FormatIpAddress(packet.flow.destination) << ' ' << packet.flow.source_port << ' '
       << packet.flow.destination_port << ' ' << int{packet.flow.protocol} << ' ' << int{packet.tcp_flags}
       << ' ' << int{packet.traffic_class} << ' ' << int{packet.ttl};
  return text.str();
}

std::vector<std::string> Texts(const std::vector<packet::Packet>& packets) {
  std::vector<std::string> texts;
  for (const packet::Packet& packet : packets) texts.push_back(Text(packet));
  return texts;
}

TEST(SyntheticArithmeticTest, TheFunctionsAreThoseOfTheLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 3.7)
    EXPECT_NEAR(Log(x), std::log(x), 1e-14 * (1 + std::abs(std::log(x))));
  for (double x = -700; x < 700; x += 0.37) EXPECT_NEAR(Exp(x) / std::exp(x), 1, 1e-12);
  for (double x = -3; x < 3; x += 0.013) EXPECT_NEAR(SinTurns(x), std::sin(6.283185307179586 * x), 1e-14);
}

TEST(SyntheticArithmeticTest, ExponentialDrawsHaveTheMomentsAndTheTail) {
  base::Random random(3);
  const int count = 1'000'000;
  double sum = 0;
  double squares = 0;
  int tail = 0;
  for (int i = 0; i < count; ++i) {
    const double x = ExponentialTable()(random);
    ASSERT_GE(x, 0);
    sum += x;
    squares += x * x;
    tail += x > 8 ? 1 : 0;
  }
  EXPECT_NEAR(sum / count, 1, 0.005);
  EXPECT_NEAR(squares / count, 2, 0.03);
  EXPECT_NEAR(tail, count * std::exp(-8), 90);
}

TEST(SyntheticArithmeticTest, NormalDrawsHaveTheMoments) {
  base::Random random(4);
  const int count = 200'000;
  double sum = 0;
  double squares = 0;
  double products = 0;
  for (int i = 0; i < count; ++i) {
    const auto [x, y] = NormalPair(random);
    sum += x + y;
    squares += x * x + y * y;
    products += x * y;
  }
  EXPECT_NEAR(sum / (2 * count), 0, 0.01);
  EXPECT_NEAR(squares / (2 * count), 1, 0.01);
  EXPECT_NEAR(products / count, 0, 0.01);
}

// The golden value holds on every machine; it changes only when the generator is meant to change.
TEST(SyntheticSourceTest, TheDefaultScenarioGivesThesePackets) {
  Scenario scenario = DefaultScenario();
  scenario.duration = 10min;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const packet::Packet& packet : PacketsOf(scenario)) hash = base::Fnv1a64(Text(packet), hash);
  EXPECT_EQ(base::Hex(hash), "f8ebb74ae0b2caae");
}

TEST(SyntheticSourceTest, ThePacketsDependOnTheSeedButNotOnHowManyArePolled) {
  Scenario scenario = DefaultScenario();
  scenario.duration = 60s;
  const auto packets = Texts(PacketsOf(scenario, 1000));
  EXPECT_EQ(Texts(PacketsOf(scenario, 7)), packets);
  scenario.seed = 2;
  EXPECT_NE(Texts(PacketsOf(scenario, 1000)), packets);
}

TEST(SyntheticSourceTest, OtherLinksDoNotChangeALink) {
  LinkGroup few{.name = "few", .count = 2, .rate = 50, .rate_spread = 0.5};
  few.cycle = {.amplitude = 0.5, .apart = 1};
  few.daily = {.amplitude = 0.5, .apart_hours = 6};
  few.bursts.per_hour = 60;
  LinkGroup more = few;
  more.count = 3;
  Scenario alone = Of(few, 120s);
  Scenario with_others = Of(more, 120s);
  // So many that slots become short.
  with_others.groups.push_back({.name = "big", .count = 2, .rate = 4000});
  std::vector<std::string> found;
  for (const packet::Packet& packet : PacketsOf(with_others)) {
    if (packet.interface < 2) found.push_back(Text(packet));
  }
  EXPECT_EQ(found, Texts(PacketsOf(alone)));
}

TEST(SyntheticSourceTest, PacketsAreInOrderOfTimeWithinTheDuration) {
  Scenario scenario = Of({.count = 3, .rate = 3000}, 2500ms);
  scenario.groups.push_back({.name = "other", .count = 40, .rate = 20});
  const auto packets = PacketsOf(scenario);
  base::EventTime before = scenario.start;
  for (const packet::Packet& packet : packets) {
    ASSERT_GE(packet.time, before);
    before = packet.time;
  }
  EXPECT_LT(before, scenario.start + scenario.duration);
  EXPECT_NEAR(static_cast<double>(packets.size()), 9800 * 2.5, 0.1 * 9800 * 2.5);
}

TEST(SyntheticSourceTest, NoPacketIsOlderThanTheBoundGivenBeforeIt) {
  SyntheticSource source(Of({.count = 4, .rate = 2000}, 5s));
  std::vector<packet::Packet> packets;
  base::EventTime last = base::kBeginningOfTime;
  while (true) {
    const base::EventTime bound = source.LowerBound();
    EXPECT_GE(bound, last);
    last = bound;
    packets.clear();
    if (source.Poll(7, packets) == PollState::kEnd) break;
    for (const packet::Packet& packet : packets) ASSERT_GE(packet.time, bound);
  }
}

TEST(SyntheticSourceTest, LinksAreCalledAndCountedAsTheScenarioSays) {
  Scenario scenario = Of({.name = "up"}, 1s);
  scenario.groups.push_back({.name = "down", .count = 2});
  EXPECT_THAT(SyntheticSource(scenario).interfaces(), ElementsAre("up", "down0", "down1"));
}

class PacketMakerTest : public testing::Test {
 protected:
  static Mix TwoKinds() {
    return {"two",
            {{17, 53, 1, {70, 90}, {100, 100}, 0.25, 4}, {6, 443, 3, {66, 66}, {1514, 1514}, 0.75, 25}}};
  }
  static std::vector<packet::Packet> Make(double ipv6_share) {
    Scenario scenario = Of({.rate = 50'000,
                            .hosts = 100,
                            .servers = 10,
                            .flows = 40,
                            .ipv6_share = ipv6_share,
                            .mix = "two",
                            .network = "10.7.8.0"},
                           4s);
    scenario.mixes.push_back(TwoKinds());
    return PacketsOf(scenario);
  }
  static double Share(const std::vector<packet::Packet>& packets, auto&& holds) {
    return static_cast<double>(std::count_if(packets.begin(), packets.end(), holds)) /
           static_cast<double>(packets.size());
  }
};

TEST_F(PacketMakerTest, SharesSizesAndDirectionsAreThoseOfTheMix) {
  const auto packets = Make(0);
  const auto dns = [](const packet::Packet& packet) { return packet.flow.protocol == 17; };
  EXPECT_NEAR(Share(packets, dns), 0.25, 0.01);
  std::map<std::uint32_t, double> sizes;
  for (const packet::Packet& packet : packets)
    sizes[packet.wire_length_bytes] += 1.0 / static_cast<double>(packets.size());
  // A flow's first packet comes from the client: of the rest, down_share goes down.
  EXPECT_NEAR(sizes[1514], 0.75 * 0.75 * 24 / 25, 0.01);
  EXPECT_NEAR(sizes[100], 0.25 * 0.25 * 3 / 4, 0.01);
  EXPECT_EQ(sizes.begin()->first, 66U);
  for (std::uint32_t size = 70; size <= 90; ++size)
    EXPECT_NEAR(sizes[size], 0.25 * 0.8125 / 21, 0.003) << size;
  EXPECT_EQ(sizes.size(), 1 + 21 + 1 + 1);
}

TEST_F(PacketMakerTest, FlowsBeginWithSynEndWithFinAndHaveTheirLength) {
  const auto packets = Make(0);
  const auto has = [](std::uint8_t flag) {
    return [flag](const packet::Packet& packet) { return (packet.tcp_flags & flag) != 0; };
  };
  EXPECT_NEAR(Share(packets, has(packet::kTcpSyn)), 0.75 / 25, 0.002);
  EXPECT_NEAR(Share(packets, has(packet::kTcpFin)), 0.75 / 25, 0.002);
  for (const packet::Packet& packet : packets) {
    if (packet.tcp_flags == packet::kTcpSyn) {
      ASSERT_EQ(packet.flow.source.bytes[0], 10);
    }
  }
}

TEST_F(PacketMakerTest, AddressesAreTheLinksOwn) {
  std::set<std::string> clients;
  std::set<std::string> servers;
  for (const packet::Packet& packet : Make(0.4)) {
    const bool up = packet.flow.destination_port == 53 || packet.flow.destination_port == 443;
    clients.insert(base::FormatIpAddress(up ? packet.flow.source : packet.flow.destination));
    servers.insert(base::FormatIpAddress(up ? packet.flow.destination : packet.flow.source));
  }
  const base::CidrSet home({"10.7.8.0/24", "fd10:0:708::/64"});
  for (const std::string& client : clients)
    EXPECT_TRUE(home.Contains(base::ParseIpAddress(client))) << client;
  EXPECT_EQ(clients.size(), 200U);
  EXPECT_EQ(servers.size(), 20U);
}

TEST_F(PacketMakerTest, TheShareOfIpv6IsThatOfFlows) {
  EXPECT_NEAR(Share(Make(0.4), [](const auto& packet) { return packet.flow.ether_type == 0x86dd; }), 0.4,
              0.03);
}

TEST(ScenarioTest, WhatMakesNoSenseIsNamed) {
  const auto expect_error = [](auto&& change, const std::string& words) {
    Scenario scenario = DefaultScenario();
    change(scenario, scenario.groups[0]);
    try {
      SyntheticSource source(scenario);
      FAIL() << words << " was taken";
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  expect_error([](auto&, auto& links) { links.count = 0; },
               "links 'link': count must be from 1 to 65535 links, not 0");
  expect_error([](auto&, auto& links) { links.rate = 0; },
               "rate must be above 0 and at most 1e+07 packets/s, not 0");
  expect_error([](auto&, auto& links) { links.rate = std::nan(""); }, "rate must be above 0");
  expect_error([](auto&, auto& links) { links.noise.fast = -1; }, "noise.fast must be from 0 to 2, not -1");
  expect_error([](auto&, auto& links) { links.cycle.period = 0s; }, "cycle.period must be above 0");
  expect_error([](auto&, auto& links) { links.bursts.factor = 0.5; }, "bursts.factor must be from 1");
  expect_error([](auto&, auto& links) { links.bursts = {.per_hour = 60, .length = 2min}; },
               "do not fit into an hour");
  expect_error([](auto&, auto& links) { links.name = "a b"; }, "'a b' must be 1 to 100 letters");
  expect_error([](auto&, auto& links) { links.mix = "web"; }, "there is no mix 'web'; there are: default");
  expect_error([](auto&, auto& links) { links.network = "192.168.0.0"; }, "must be a /24 of 10.0.0.0/8");
  expect_error([](auto&, auto& links) { links.network = "10.255.255.0"; }, "begin lower");
  expect_error([](auto&, auto& links) { links.flows = 65'536, links.count = 1000; }, "lower flows or count");
  expect_error([](auto& scenario, auto&) { scenario.groups.clear(); }, "add a [[links]] table");
  expect_error([](auto& scenario, auto& links) { scenario.groups.push_back(links); },
               "two links are called 'link0'");
  expect_error([](auto& scenario, auto&) { scenario.groups.push_back({.name = "b", .network = "10.0.1.0"}); },
               "overlap those of 'link'; set network, for instance to 10.0.2.0");
  expect_error(
      [](auto& scenario, auto&) {
        scenario.mixes.push_back({"m", {}});
      },
      "must have from 1 to 64 conversations");
  expect_error([](auto& scenario, auto&) { scenario.duration = 0s; }, "duration must be above 0");
}

TEST(ScenarioTest, OverloadsThatMakeNoSenseAreNamed) {
  const auto expect_error = [](const Overload& overload, const std::string& words) {
    Scenario scenario = DefaultScenario();
    scenario.groups[0].overloads.push_back(overload);
    try {
      Validate(scenario);
      FAIL() << words << " was taken";
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  expect_error({.at = {1h}}, "give either factor or rate");
  expect_error({.at = {1h}, .factor = 2, .rate = 5}, "give either factor or rate");
  expect_error({.factor = 2}, "give either at or per_day");
  expect_error({.at = {1h}, .per_day = 1, .factor = 2}, "give either at or per_day");
  expect_error({.at = {1h}, .every = 5min, .factor = 2}, "every must be at least");
  expect_error({.per_day = 24, .length = 1h, .factor = 2}, "do not fit into a day");
  expect_error({.at = {1h}, .length = 0s, .factor = 2}, "must be 1 s together");
}

}  // namespace
}  // namespace flowcast::synthetic
