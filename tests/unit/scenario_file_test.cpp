// Scenarios from TOML: what is read, what is refused, and that a written one is the same again.
#include "libs/scenario_file/scenario_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "libs/base/error.h"
#include "libs/synthetic/link_rate.h"
#include "libs/synthetic/synthetic_source.h"
#include "libs/synthetic/truth.h"

namespace flowcast::scenario_file {
namespace {

using namespace std::chrono_literals;
using synthetic::Scenario;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Example(const std::string& name) { return std::string(FLOWCAST_SCENARIOS "/") + name + ".toml"; }

std::vector<packet::Packet> PacketsOf(const Scenario& scenario) {
  synthetic::SyntheticSource source(scenario);
  std::vector<packet::Packet> packets;
  while (source.Poll(4096, packets) != capture::PollState::kEnd) {
  }
  return packets;
}

void ExpectTheSame(const std::vector<packet::Packet>& a, const std::vector<packet::Packet>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_TRUE(a[i].time == b[i].time && a[i].wire_length_bytes == b[i].wire_length_bytes &&
                a[i].interface == b[i].interface && a[i].tcp_flags == b[i].tcp_flags &&
                a[i].ttl == b[i].ttl && a[i].traffic_class == b[i].traffic_class && a[i].flow == b[i].flow)
        << "packet " << i;
  }
}

TEST(ScenarioFileTest, EveryFieldIsRead) {
  const Scenario scenario = ParseScenario(R"(
start = 2026-11-02T02:00:00.25+02:00
duration = "2h"
seed = 9223372036854775807
[[links]]
name = "up"
count = 3
rate = 1e3
mix = "web"
weekdays = [1, 1, 1, 1, 1, 0.5, 0]
[links.noise]
slow = 0.25
memory = "90s"
[[links.overload]]
at = ["30m", "0s"]
rate = 5000
[[mix]]
name = "web"
[[mix.conversation]]
protocol = "udp"
up_bytes = [64, 128]
down_bytes = 1500
[[mix.conversation]]
protocol = 47
)",
                                          "test");
  EXPECT_EQ(base::FormatTime(scenario.start), "2026-11-02T00:00:00.250Z");
  EXPECT_EQ(scenario.duration, 2h);
  EXPECT_EQ(scenario.seed, 9223372036854775807U);
  const synthetic::LinkGroup& links = scenario.groups.at(0);
  EXPECT_EQ(links.name, "up");
  EXPECT_EQ(links.count, 3);
  EXPECT_EQ(links.rate, 1000);
  EXPECT_THAT(links.weekdays, ElementsAre(1, 1, 1, 1, 1, 0.5, 0));
  EXPECT_EQ(links.noise.slow, 0.25);
  EXPECT_EQ(links.noise.memory, 90s);
  EXPECT_THAT(links.overloads.at(0).at, ElementsAre(30min, 0s));
  EXPECT_EQ(links.overloads.at(0).rate, 5000);
  EXPECT_FALSE(links.overloads.at(0).factor.has_value());
  const auto& conversations = scenario.mixes.at(0).conversations;
  EXPECT_EQ(conversations.at(0).protocol, 17);
  EXPECT_EQ(conversations.at(0).up_bytes.most, 128U);
  EXPECT_EQ(conversations.at(0).down_bytes.least, 1500U);
  EXPECT_EQ(conversations.at(1).protocol, 47);
}

TEST(ScenarioFileTest, ErrorsNameFileLineAndRemedy) {
  const auto expect_error = [](const std::string& text, const std::string& start, const std::string& words) {
    try {
      ParseScenario(text, "my.toml");
      FAIL() << text << " was taken";
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), AllOf(StartsWith(start), HasSubstr(words)));
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  };
  expect_error("seed = 1\nrate = = 5", "my.toml:2:8: is no TOML", "");
  expect_error("seed = 1\n\xc3\xa9", "my.toml:2:", "only ASCII is read");
  expect_error("", "my.toml: ", "add a [[links]] table");
  expect_error("seed = 1\nlink = 2\n",
               "my.toml:2:", "unknown key 'link', perhaps links is meant; known here: start, duration, seed, links, mix");
  expect_error("[[links]]\n[links.noise]\nsow = 1",
               "my.toml:3:", "unknown key 'sow', perhaps slow is meant; known here: fast, slow, memory");
  expect_error("[[links]]\nrate = -5",
               "my.toml:2:", "rate must be above 0 and at most 1e+07 packets/s, not -5");
  expect_error("[[links]]\nrate = nan", "my.toml:2:", "rate must be above 0");
  expect_error("[[links]]\nrate = \"5\"", "my.toml:2:", "rate must be a number");
  expect_error("[[links]]\nhosts = 2.5", "my.toml:2:", "hosts must be a whole number");
  expect_error("[[links]]\nhosts = 9007199254740993", "my.toml:2:", "hosts must be from 1 to 254");
  expect_error("[links]\nrate = 5", "my.toml:1:", "write [[links]]");
  expect_error("links = [1]", "my.toml:1:", "links must be a table");
  expect_error("duration = 5", "my.toml:1:", "duration must be a duration in quotes, like \"90s\"");
  expect_error("duration = \"soon\"", "my.toml:1:", "'soon' is no duration; write");
  expect_error("duration = \"0s\"", "my.toml:1:", "duration must be above 0");
  expect_error("start = 2026-11-02T00:00:00", "my.toml:1:", "must be a time with its zone");
  expect_error("start = 1901-01-01T00:00:00Z", "my.toml:1:", "1970 to 2199");
  expect_error("seed = -1", "my.toml:1:", "seed must be from 0");
  expect_error("[[links]]\nweekdays = [1, 2]", "my.toml:2:", "must have 7 numbers, Monday first");
  expect_error("[[links]]\n[[links.overload]]\nat = \"5m\"", "my.toml:3:", "at must be a list of durations");
  expect_error("[[links]]\n\n[[links.overload]]\nat = [\"5m\"]", "my.toml:1:", "give either factor or rate");
  expect_error("[[links]]\n[[links.overload]]\ntogether = 1",
               "my.toml:3:", "together must be true or false");
  expect_error("[[links]]\nmix = \"web\"", "my.toml: ", "there is no mix 'web'; there are: default");
  expect_error("[[mix]]\nname = \"m\"\n[[mix.conversation]]\nprotocol = \"quic\"",
               "my.toml:4:", "protocol must be \"tcp\"");
  expect_error("[[mix]]\nname = \"m\"\n[[mix.conversation]]\nprotocol = 300", "my.toml:4:", "0 to 255");
  expect_error("[[mix]]\nname = \"m\"\n[[mix.conversation]]\nup_bytes = [64]",
               "my.toml:4:", "[least, most]");
  expect_error("[[mix]]\nname = \"m\"\n[[mix.conversation]]\nup_bytes = [90, 64]",
               "my.toml:1:", "the smaller size first");
}

TEST(ScenarioFileTest, AFileThatIsNotThereIsNamed) {
  try {
    ReadScenario("absent.toml");
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot read the scenario absent.toml"));
  }
}

TEST(ScenarioFileTest, TheDefaultScenarioWrittenAndReadIsTheSame) {
  const Scenario scenario = synthetic::DefaultScenario();
  const std::string text = ToToml(scenario);
  EXPECT_EQ(ToToml(ParseScenario(text, "again")), text);
  ExpectTheSame(PacketsOf(ParseScenario(text, "again")), PacketsOf(scenario));
}

class ExampleTest : public testing::TestWithParam<std::pair<std::string, std::size_t>> {
 protected:
  Scenario scenario_ = ReadScenario(Example(GetParam().first));
};
INSTANTIATE_TEST_SUITE_P(Files, ExampleTest,
                         testing::Values(std::pair{"office", 2}, std::pair{"uplink", 1},
                                         std::pair{"thousand", 1000}),
                         [](const auto& test) { return test.param.first; });

TEST_P(ExampleTest, HasAsManyLinksAndPacketsAsItSays) {
  double packets = 0;
  std::size_t links = 0;
  for (const synthetic::LinkGroup& group : scenario_.groups) {
    for (int i = 0; i < synthetic::LinksOf(group); ++i, ++links) {
      synthetic::LinkRate rate(scenario_, group, i);
      for (auto second = 0s; second < scenario_.duration; ++second) packets += rate.Next();
    }
  }
  EXPECT_EQ(links, GetParam().second);
  std::ifstream file(Example(GetParam().first));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, HasSubstr(std::to_string(std::lround(packets / 1e6)) + " million packets"));
}

TEST_P(ExampleTest, WrittenAndReadGivesTheSamePacketsAndTruth) {
  std::ostringstream truth;
  WriteTruth(scenario_, truth);
  scenario_.duration = std::min<base::Duration>(scenario_.duration, 5s);
  const Scenario again = ParseScenario(ToToml(scenario_), "again");
  ExpectTheSame(PacketsOf(again), PacketsOf(scenario_));
  EXPECT_THAT(truth.str(), HasSubstr(R"("kind": ")"));
}

TEST_P(ExampleTest, HasItsLinksAndItsRate) {
  EXPECT_EQ(synthetic::SyntheticSource(scenario_).interfaces().size(), GetParam().second);
  double mean = 0;
  for (const synthetic::LinkGroup& links : scenario_.groups) mean += links.rate * LinksOf(links);
  scenario_.duration = 10s;
  for (synthetic::LinkGroup& links : scenario_.groups) {
    links.daily.amplitude = links.cycle.amplitude = links.noise.slow = 0;
    links.weekdays.fill(1);
  }
  // A few big links of a wide spread decide: it need only be about right.
  EXPECT_NEAR(static_cast<double>(PacketsOf(scenario_).size()) / 10 / mean, 1, 0.35);
}

}  // namespace
}  // namespace flowcast::scenario_file
