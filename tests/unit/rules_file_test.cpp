// Rules out of TOML: every key, and what is refused with which words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/rules_file/rules_file.h"
#include "tests/support/stream.h"

namespace flowcast::rules_file {
namespace {

using namespace std::chrono_literals;
using alert::Kind;
using alert::Measure;
using alert::Rule;
using alert::Threshold;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

Rule Only(const std::string& keys) {
  return Parse("[[rules]]\nname = \"r\"\n" + keys, "my.toml").rules.at(0);
}

TEST(RulesFile, EveryKeyIsRead) {
  const alert::Rulebook book = Parse(R"(
# what the links can carry
[capacities]
"lab/*" = "100M"
"lab/eth0" = "1G"

[[rules]]
name = "uplink"
links = ["lab/*", "demo/*"]
except = ["lab/test*"]
kind = "load"
target = "bytes"
horizon = 3
threshold = "80%"
on = "quantile 0.9"
clear = "60%"
for = "3 of 5"
keep_firing_for = "30s"
severity = "critical"
labels = {team = "net", site = "b"}
runbook = "https://example.com/uplink"
silences = [
  {from = 2026-12-24T00:00:00+01:00, to = 2026-12-27T00:00:00Z},
  {daily = "22:00-06:00", weekdays = ["sat", "sun"]},
]

[[rules]]
name = "gone"
links = "lab/eth0"
kind = "quiet"
threshold = 5
clear = 20
)",
                                     "my.toml");
  EXPECT_EQ(book.capacities.Of("lab/eth0"), 1e9);
  EXPECT_EQ(book.capacities.Of("lab/eth1"), 1e8);
  ASSERT_THAT(book.rules, SizeIs(2));
  const Rule& uplink = book.rules[0];
  EXPECT_EQ(uplink.name, "uplink");
  EXPECT_THAT(uplink.links, ElementsAre("lab/*", "demo/*"));
  EXPECT_THAT(uplink.except, ElementsAre("lab/test*"));
  EXPECT_EQ(uplink.target, "bytes");
  EXPECT_EQ(uplink.horizon, 3);
  EXPECT_EQ(uplink.threshold, Threshold::Parse("80%"));
  EXPECT_EQ(uplink.on, (Measure{Measure::Kind::kQuantile, 0.9}));
  EXPECT_EQ(uplink.clear.absolute, Threshold::Parse("60%"));
  EXPECT_EQ(uplink.terms, (alert::Terms{.needed = 3, .of = 5, .keep_firing_for = 30s}));
  EXPECT_EQ(uplink.severity, "critical");
  EXPECT_THAT(uplink.labels, ElementsAre(std::pair("site", "b"), std::pair("team", "net")));
  EXPECT_EQ(uplink.runbook, "https://example.com/uplink");
  ASSERT_THAT(uplink.silences, SizeIs(2));
  EXPECT_EQ(base::FormatTime(uplink.silences[0].span->from), "2026-12-23T23:00:00Z");
  EXPECT_EQ(uplink.silences[1].daily->weekdays, 0x60);
  const Rule& gone = book.rules[1];
  EXPECT_THAT(gone.links, ElementsAre("lab/eth0"));
  EXPECT_EQ(gone.kind, Kind::kQuiet);
  EXPECT_EQ(gone.threshold.value, 5);
  EXPECT_EQ(gone.target, "packets");
}

TEST(RulesFile, ARuleNeedsNoMoreThanAName) {
  const Rule rule = Only("");
  EXPECT_EQ(rule.kind, Kind::kLoad);
  EXPECT_EQ(rule.threshold, Threshold::Parse("80%"));
  EXPECT_EQ(rule.target, "bytes");
  EXPECT_EQ(rule.horizon, Rule::kNearest);
  EXPECT_EQ(rule.on, Measure());
  EXPECT_THAT(rule.links, ElementsAre("*"));
  EXPECT_EQ(rule.severity, "warning");
  EXPECT_THAT(rule.silences, IsEmpty());
}

TEST(RulesFile, TheTargetFollowsFromTheThreshold) {
  EXPECT_EQ(Only("threshold = 100").target, "packets");
  EXPECT_EQ(Only("threshold = \"2MB\"").target, "bytes");
  EXPECT_EQ(Only("threshold = \"p95\"").target, "packets");
  EXPECT_EQ(Only("threshold = 0.5\ntarget = \"jitter\"").target, "jitter");
  EXPECT_EQ(Only("kind = \"quiet\"").target, "packets");
  EXPECT_EQ(Only("kind = \"quiet\"\ntarget = \"bytes\"").threshold.value, 0);
}

TEST(RulesFile, OtherFormsAreRead) {
  EXPECT_EQ(Only("horizon = \"any\"").horizon, Rule::kAny);
  const Rule sure = Only("on = \"probability > 0.8\"\nclear_probability = 0.5");
  EXPECT_EQ(sure.on.kind, Measure::Kind::kProbability);
  EXPECT_EQ(sure.clear.probability, 0.5);
  EXPECT_EQ(Only("clear_ratio = 0.7").clear.ratio, 0.7);
  EXPECT_EQ(Only("kind = \"degraded\"\ntarget = \"packets\"").kind, Kind::kDegraded);
}

void ExpectError(const std::string& text, const std::string& start, const std::string& words) {
  try {
    Parse(text, "my.toml");
    ADD_FAILURE() << text;
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), StartsWith(start)) << text;
    EXPECT_THAT(error.what(), HasSubstr(words)) << text;
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(RulesFile, WhatIsWrongIsToldWithLineColumnAndRemedy) {
  const auto expect_in_rule = [](const std::string& key, const std::string& words) {
    ExpectError("[[rules]]\nname = \"r\"\n" + key, "my.toml:3:", words);
  };
  ExpectError("a = = 5", "my.toml:1:5: is no TOML", "");
  ExpectError("# \xc3\xa9", "my.toml:1:3: ", "only ASCII is read");
  ExpectError("", "my.toml:1:1: ", "there is no rule in it; write [[rules]]");
  ExpectError("[[rule]]\nname = \"r\"", "my.toml:1:3: ", "unknown key 'rule', perhaps rules is meant");
  ExpectError("[rules]\nname = \"r\"", "my.toml:1:1: ", "write [[rules]]");
  ExpectError("[[rules]]", "my.toml:1:1: ", "a rule has no name; write name");
  ExpectError("[capacities]\na = \"fast\"", "my.toml:2:5: ", "a: 'fast' is no capacity; write bits a second");
  ExpectError("[capacities]\na = 5", "my.toml:2:5: ", "bits a second in quotes, like \"1G\"");
  ExpectError("[[rules]]\nname = \"r\"\n[[rules]]\nname = \"r\"",
              "my.toml:3:1: rule 'r': ", "there is one of this name already, at my.toml:1:1");
  expect_in_rule("treshold = 5", "my.toml:3:1: unknown key 'treshold', perhaps threshold is meant");
  expect_in_rule("threshold = \"5 Mb\"", "threshold: '5 Mb' is no threshold; write packets a window (100");
  expect_in_rule("threshold = 0", "threshold must be above 0");
  expect_in_rule("threshold = nan", "threshold must be 0 or more");
  expect_in_rule("threshold = true", "threshold must be a number");
  expect_in_rule("kind = \"heavy\"", "not \"heavy\"");
  expect_in_rule("links = 5", "links must be a list of patterns in quotes");
  expect_in_rule("horizon = 0", "horizon must be a number of windows, 1 or more, or \"any\"");
  expect_in_rule("on = \"mean\"", "on: 'mean' is nothing to compare; write median");
  expect_in_rule("for = \"5 of 3\"", "for must be like \"3 of 5\"");
  expect_in_rule("for = \"1 of 33\"", "of at most 32 windows");
  expect_in_rule("keep_firing_for = \"soon\"", "keep_firing_for: 'soon' is no duration");
  expect_in_rule("clear_ratio = 1.5", "clear_ratio must be above 0 and at most 1");
  expect_in_rule("clear_ratio = 0.5\nclear = \"5%\"", "give one of clear, clear_ratio and clear_probability");
  expect_in_rule("labels = {a = 5}", "a must be text in quotes");
  expect_in_rule("silences = [{daily = \"late\"}]", "daily: 'late' is no time of the day; write");
  expect_in_rule("silences = [{daily = \"22:00-06:00\", weekdays = [\"day\"]}]", "weekdays: 'day' is no day");
  expect_in_rule("silences = [{from = 2026-12-24T00:00:00Z}]", "a silence has either from and to, or daily");
  expect_in_rule("silences = [{from = 2026-12-24T00:00:00, to = 2026-12-25T00:00:00Z}]", "with its zone");
  expect_in_rule("silences = [{from = 2026-12-26T00:00:00Z, to = 2026-12-25T00:00:00Z}]",
                 "to must be after from");
  expect_in_rule("silences = [{until = 5}]", "unknown key 'until'");
  ExpectError("[[rules]]\nname = \"r\"\nkind = \"quiet\"\non = \"median\"",
              "my.toml:4:6: ", "kind = \"load\" only");
  ExpectError("[[rules]]\nname = \"r\"\nthreshold = 5\ntarget = \"bytes\"",
              "my.toml:1:1: rule 'r': ", "the threshold 5 does not go with the target bytes");
}

TEST(RulesFile, AFileThatIsNotThereIsNamed) {
  EXPECT_THROW(
      {
        try {
          Read("/nowhere/rules.toml");
        } catch (const base::ConfigError& error) {
          EXPECT_THAT(error.what(), HasSubstr("/nowhere/rules.toml"));
          throw;
        }
      },
      base::ConfigError);
}

}  // namespace
}  // namespace flowcast::rules_file
