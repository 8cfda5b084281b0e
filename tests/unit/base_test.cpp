// base: times, durations, addresses and the hashes that formats depend on.
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/host_port.h"
#include "libs/base/ip_address.h"
#include "libs/base/network_map.h"
#include "libs/base/pattern.h"
#include "libs/base/printable.h"
#include "libs/base/random.h"
#include "libs/base/text.h"
#include "libs/base/throttle.h"
#include "libs/base/time.h"
#include "libs/base/within.h"

namespace flowcast::base {
namespace {

using namespace std::chrono_literals;

TEST(HostAndPort, IsReadWithAndWithoutPortAndBrackets) {
  EXPECT_EQ(ParseHostAndPort("broker-1.example:9092"), (HostAndPort{"broker-1.example", 9092}));
  EXPECT_EQ(ParseHostAndPort("localhost"), (HostAndPort{"localhost", std::nullopt}));
  EXPECT_EQ(ParseHostAndPort("[::1]:0"), (HostAndPort{"::1", 0}));
  EXPECT_EQ(ParseHostAndPort("[fe80::2]"), (HostAndPort{"fe80::2", std::nullopt}));
}

TEST(HostAndPort, IsNothingForAnythingElse) {
  for (const char* text : {"", ":1", "::1:9471", "a:65536", "a:-1", "a:", "a:1x", "[]:1", "[::1", "[::1]1",
                           "a b", "a/b", "[host]:1", "a@b"}) {
    EXPECT_EQ(ParseHostAndPort(text), std::nullopt) << text;
  }
}

TEST(Time, AlignsWindowsToTheEpochAlsoBeforeIt) {
  EXPECT_EQ(AlignDown(FromUnixNanoseconds(7'500'000'000), 5s), FromUnixNanoseconds(5'000'000'000));
  EXPECT_EQ(AlignDown(FromUnixNanoseconds(5'000'000'000), 5s), FromUnixNanoseconds(5'000'000'000));
  EXPECT_EQ(AlignDown(FromUnixNanoseconds(-1), 5s), FromUnixNanoseconds(-5'000'000'000));
}

TEST(Time, IsWrittenAsRfc3339WithAsManyDigitsAsNeeded) {
  EXPECT_EQ(FormatTime(FromUnixNanoseconds(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(FromUnixNanoseconds(1'700'000'000'250'000'000)), "2023-11-14T22:13:20.250Z");
  EXPECT_EQ(FormatTime(FromUnixNanoseconds(1)), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(FormatTime(FromUnixNanoseconds(-1)), "1969-12-31T23:59:59.999999999Z");
}

TEST(Duration, IsReadWithItsUnit) {
  EXPECT_EQ(ParseDuration("250ms"), 250ms);
  EXPECT_EQ(ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(ParseDuration("1h"), 1h);
  EXPECT_EQ(ParseDuration("2d"), 48h);
}

TEST(Duration, WithoutUnitOrNotPositiveIsRefusedWithARemedy) {
  for (const char* text : {"", "5", "s", "-5s", "0s", "5 s", "1e300d", "nan s"}) {
    EXPECT_THROW(ParseDuration(text), ConfigError) << text;
  }
}

TEST(Duration, IsWrittenInTheLargestWholeUnit) {
  EXPECT_EQ(FormatDuration(5s), "5s");
  EXPECT_EQ(FormatDuration(90s), "90s");
  EXPECT_EQ(FormatDuration(3600s), "1h");
  EXPECT_EQ(FormatDuration(250ms), "250ms");
}

TEST(Murmur2, AgreesWithKafkasJavaClient) {
  // Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
            -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(Murmur2("abc")), 479470107);
}

TEST(Partition, IsNeverNegative) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto partition = PartitionOf(Hex(random.Next()), 7);
    EXPECT_GE(partition, 0);
    EXPECT_LT(partition, 7);
  }
}

TEST(IpAddress, SurvivesFormattingAndParsing) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::", "0.0.0.0"}) {
    EXPECT_EQ(FormatIpAddress(ParseIpAddress(text)), text);
  }
  EXPECT_THROW(ParseIpAddress("192.0.2"), ConfigError);
}

TEST(CidrSet, MatchesByPrefixWithinTheSameVersion) {
  const CidrSet home({"10.0.0.0/8", "192.0.2.128/25", "2001:db8::/33"});
  EXPECT_TRUE(home.Contains(ParseIpAddress("10.255.0.1")));
  EXPECT_FALSE(home.Contains(ParseIpAddress("11.0.0.1")));
  EXPECT_TRUE(home.Contains(ParseIpAddress("192.0.2.129")));
  EXPECT_FALSE(home.Contains(ParseIpAddress("192.0.2.1")));
  EXPECT_TRUE(home.Contains(ParseIpAddress("2001:db8:7fff::1")));
  EXPECT_FALSE(home.Contains(ParseIpAddress("2001:db8:8000::1")));
  EXPECT_FALSE(home.Contains(ParseIpAddress("a00::")));
}

TEST(CidrSet, RefusesNonsenseByName) {
  for (const char* text :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10/8", "2001:db8::/129", "10.0.0.0/-1"}) {
    EXPECT_THROW(CidrSet({text}), ConfigError) << text;
  }
}

TEST(ManualClock, MovesOnlyWhenToldTo) {
  ManualClock clock;
  const auto before = clock.Now();
  EXPECT_EQ(clock.Now(), before);
  clock.SleepFor(3s);
  EXPECT_EQ(clock.Now() - before, 3s);
}

TEST(NetworkMapTest, TheLongestPrefixCounts) {
  const NetworkMap map(
      {"10.0.0.0/8=all", "10.1.0.0/16=lab", "10.1.2.3=host", "2001:db8::/32", "0.0.0.0/0=rest"});
  const auto name_of = [&map](const std::string& address) { return *map.Find(ParseIpAddress(address)).name; };
  EXPECT_EQ(name_of("10.9.0.1"), "all");
  EXPECT_EQ(name_of("10.1.0.1"), "lab");
  EXPECT_EQ(name_of("10.1.2.3"), "host");
  EXPECT_EQ(name_of("192.0.2.1"), "rest");
  EXPECT_EQ(name_of("2001:db8::1"), "2001:db8::/32");
  EXPECT_EQ(map.Find(ParseIpAddress("2001:db9::1")).name, nullptr);
  EXPECT_EQ(map.Find(IpAddress{}).name, nullptr);
}

TEST(NetworkMapTest, WhatIsWrongIsNamed) {
  EXPECT_THROW(NetworkMap({"10.0.0.0/8=a", "10.1.2.3/8=b"}), ConfigError);
  EXPECT_THROW(NetworkMap({"10.0.0.0/8="}), ConfigError);
  EXPECT_THROW(NetworkMap({"lab=10.0.0.0/8"}), ConfigError);
}

TEST(TextTest, ListsAreJoinedByCommas) {
  EXPECT_EQ(Join({}), "");
  EXPECT_EQ(Join({"one"}), "one");
  EXPECT_EQ(Join({"one", "two", "three"}), "one, two, three");
}

TEST(ThrottleTest, ItIsDueTheFirstTimeAndThenOnceInAWhile) {
  ManualClock clock;
  Throttle throttle(clock, std::chrono::seconds(10));
  EXPECT_TRUE(throttle.IsDue());
  EXPECT_FALSE(throttle.IsDue());
  clock.Advance(std::chrono::milliseconds(9'999));
  EXPECT_FALSE(throttle.IsDue());
  clock.Advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(throttle.IsDue());
  EXPECT_FALSE(throttle.IsDue());
}

TEST(PatternTest, StarsMarksAndSetsMatch) {
  EXPECT_TRUE(MatchesPattern("", ""));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("lab/*", "lab/eth0/1"));
  EXPECT_TRUE(MatchesPattern("*/eth?", "lab/b/eth0"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "a-bb-b-c"));
  EXPECT_TRUE(MatchesPattern("eth[0-3x]", "eth2"));
  EXPECT_TRUE(MatchesPattern("eth[!0-3]", "eth7"));
  EXPECT_TRUE(MatchesPattern("a[]]b", "a]b"));
  EXPECT_TRUE(MatchesPattern("a[b", "a[b")) << "a set that does not end is none";
  EXPECT_FALSE(MatchesPattern("", "a"));
  EXPECT_FALSE(MatchesPattern("lab/*", "lib/eth0"));
  EXPECT_FALSE(MatchesPattern("eth?", "eth"));
  EXPECT_FALSE(MatchesPattern("eth[0-3]", "eth4"));
  EXPECT_FALSE(MatchesPattern("eth[!0-3]", "eth0"));
  EXPECT_FALSE(MatchesPattern("a*b", "a-b-c"));
}

TEST(PatternTest, ManyStarsTakeNoTime) {
  const std::string text(2000, 'a');
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPattern(pattern + "b", text));
  EXPECT_TRUE(MatchesPattern(pattern, text));
}

TEST(PrintableTest, LettersOfAnyScriptStayAsTheyAre) {
  for (const char* text : {"", "demo/eth0", "Zürich–Genève 20 €", "日本/リンク", "😀"})
    EXPECT_EQ(Printable(text), text);
}

TEST(PrintableTest, WhatSteersATerminalOrBeginsALineIsShownAsAMark) {
  EXPECT_EQ(Printable("a\x1b[2Jb\r\n\tc\x7f"), "a?[2Jb???c?");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "?31m")
      << "the C1 control sequence introducer";
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "txt.exe"),
            "?txt.exe")
      << "writes from right to left";
  EXPECT_EQ(Printable("\xe2\x80\xa8"
                      "x"),
            "?x")
      << "a separator of lines";
}

TEST(PrintableTest, WhatIsNoUtf8IsShownAsAMarkByteForByte) {
  EXPECT_EQ(Printable("a\x9b"
                      "b"),
            "a?b");
  EXPECT_EQ(Printable("\xc0\xaf"), "??") << "a slash written too long";
  EXPECT_EQ(Printable("\xed\xa0\x80"), "???") << "half a pair";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "????") << "beyond Unicode";
  EXPECT_EQ(Printable("x\xe2\x82"), "x??") << "cut off";
}

TEST(PrintableTest, JsonKeepsItsValue) {
  EXPECT_EQ(PrintableJson("{\"a\":\t\"\xc2\x9b\x7f\",\r\n\"b\":\"é\"}"),
            "{\"a\": \"\\u009b\\u007f\", \n\"b\":\"é\"}");
}

TEST(WithinTest, AnActionIsWaitedForNoLongerThanOneHasPatience) {
  EXPECT_TRUE(FinishesWithin(std::chrono::seconds(60), [] {}));
  const auto gate = std::make_shared<std::promise<void>>();
  const auto over = std::make_shared<std::promise<void>>();
  EXPECT_FALSE(FinishesWithin(std::chrono::milliseconds(10), [gate, over] {
    gate->get_future().wait();
    over->set_value();
  })) << "nobody opened the gate";
  gate->set_value();
  over->get_future().wait();  // it went on
}

}  // namespace
}  // namespace flowcast::base
