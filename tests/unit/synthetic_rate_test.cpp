// Rates of made-up links: mean, variance, memory, patterns; and the truth about their bursts and overloads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <sstream>

#include "libs/synthetic/synthetic_source.h"
#include "libs/synthetic/truth.h"

namespace flowcast::synthetic {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kMonday = base::FromUnixNanoseconds(1'793'577'600'000'000'000);  // 2026-11-02

LinkGroup Quiet() {
  LinkGroup links;
  links.noise = {.fast = 0};
  return links;
}

Scenario Of(const LinkGroup& group, base::Duration duration, std::uint64_t seed = 1) {
  Scenario scenario;
  scenario.start = kMonday;
  scenario.duration = duration;
  scenario.seed = seed;
  scenario.groups.push_back(group);
  return scenario;
}

/// Packets in each second of the links together.
std::vector<double> CountsOf(const Scenario& scenario) {
  SyntheticSource source(scenario);
  std::vector<double> counts(static_cast<std::size_t>(scenario.duration / 1s));
  std::vector<packet::Packet> packets;
  while (source.Poll(4096, packets) != capture::PollState::kEnd) {
    for (const packet::Packet& packet : packets)
      ++counts[static_cast<std::size_t>((packet.time - scenario.start) / 1s)];
    packets.clear();
  }
  return counts;
}

std::vector<double> RatesOf(const Scenario& scenario) {
  LinkRate rate(scenario, scenario.groups[0], 0);
  std::vector<double> rates(static_cast<std::size_t>(scenario.duration / 1s));
  for (double& one : rates) one = rate.Next();
  return rates;
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Covariance(const std::vector<double>& values, std::size_t lag) {
  const double mean = Mean(values);
  double sum = 0;
  for (std::size_t i = lag; i < values.size(); ++i) sum += (values[i] - mean) * (values[i - lag] - mean);
  return sum / static_cast<double>(values.size() - lag);
}

class SyntheticRateTest : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SyntheticRateTest, testing::Values(1, 2, 3, 4, 5));

TEST_P(SyntheticRateTest, WithoutNoisePacketsAreAPoissonProcess) {
  LinkGroup links = Quiet();
  links.rate = 80;
  const auto counts = CountsOf(Of(links, 2h, GetParam()));
  EXPECT_NEAR(Mean(counts), 80, 0.6);
  EXPECT_NEAR(Covariance(counts, 0), 80, 7);
  EXPECT_NEAR(Covariance(counts, 1), 0, 5);
}

TEST_P(SyntheticRateTest, NoiseAddsItsVarianceAndItsMemory) {
  LinkGroup links = Quiet();
  links.rate = 200;
  links.noise = {.fast = 0.1, .slow = 0.2, .memory = 10s};
  const auto counts = CountsOf(Of(links, 4h, GetParam()));
  EXPECT_NEAR(Mean(counts), 200, 6);
  // Poisson, white and slow noise add up; only the slow one lasts.
  EXPECT_NEAR(Covariance(counts, 0), 200 + 400 + 1600, 250);
  for (const std::size_t lag : {1U, 5U, 10U, 20U})
    EXPECT_NEAR(Covariance(counts, lag) / 1600, std::exp(-static_cast<double>(lag) / 10), 0.15) << lag;
}

TEST_P(SyntheticRateTest, BurstsComeAsOftenAndLastAsLongAsAsked) {
  LinkGroup links = Quiet();
  links.bursts = {.per_hour = 20, .factor = 4, .length = 30s, .rise = 0.25};
  const Scenario scenario = Of(links, 100h, GetParam());
  const auto episodes = TrueEpisodes(scenario);
  double seconds = 0;
  for (const TrueEpisode& episode : episodes) {
    EXPECT_GE(episode.end - episode.start, 4s);
    EXPECT_NEAR(base::ToSeconds(episode.top - episode.start),
                0.25 * base::ToSeconds(episode.end - episode.start), 1);
    seconds += base::ToSeconds(episode.end - episode.start);
  }
  EXPECT_NEAR(static_cast<double>(episodes.size()), 2000, 130);
  EXPECT_NEAR(seconds / static_cast<double>(episodes.size()), 30, 2);
}

// What the truth says is what the packets do, in every episode and everywhere else.
TEST_P(SyntheticRateTest, TheTruthAgreesWithThePackets) {
  LinkGroup links = Quiet();
  links.rate = 300;
  links.cycle = {.amplitude = 0.4, .period = 1h};
  links.bursts = {.per_hour = 6, .factor = 3, .length = 60s};
  links.overloads = {{.at = {30min}, .lead_in = 5min, .length = 4min, .fall = 1min, .rate = 2000},
                     {.kind = "crowd", .per_day = 24, .length = 2min, .factor = 2.5}};
  const Scenario scenario = Of(links, 4h, GetParam());
  const auto counts = CountsOf(scenario);
  const LinkRate rate(scenario, links, 0);
  std::vector<double> most(
      counts.size());  // expected at the most: the truth's peak inside, as without it outside
  std::vector<bool> inside(counts.size());
  for (const TrueEpisode& episode : TrueEpisodes(scenario)) {
    const auto from = static_cast<std::size_t>((episode.top - scenario.start) / 1s);
    const auto to = std::min(counts.size(), static_cast<std::size_t>((episode.fall - scenario.start) / 1s));
    for (auto i = static_cast<std::size_t>((episode.start - scenario.start) / 1s);
         i < counts.size() && i < static_cast<std::size_t>((episode.end - scenario.start) / 1s); ++i)
      inside[i] = true;
    const double level = std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(std::min(from, to)),
                                         counts.begin() + static_cast<std::ptrdiff_t>(to), 0.0) /
                         static_cast<double>(std::max<std::size_t>(1, to - std::min(from, to)));
    if (to < from + 30) continue;
    EXPECT_GT(level, 0.85 * episode.peak_packets_per_s) << episode.kind;
    EXPECT_GT(episode.peak_packets_per_s, 1.8 * episode.expected_packets_per_s);
  }
  double outside = 0;
  double expected = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (inside[i]) continue;
    outside += counts[i];
    expected += rate.Expected(static_cast<std::int64_t>(i));
  }
  EXPECT_NEAR(outside / expected, 1, 0.005);
}

TEST(SyntheticPatternTest, TheDayHasItsPeakHourAndItsAmplitude) {
  LinkGroup links = Quiet();
  links.daily = {.amplitude = 0.6, .peak_hour = 14};
  const auto rates = RatesOf(Of(links, 24h));
  EXPECT_NEAR(rates[14 * 3600], 160, 0.01);
  EXPECT_NEAR(rates[2 * 3600], 40, 0.01);
  EXPECT_NEAR(rates[8 * 3600], 100, 0.1);
  EXPECT_NEAR(Mean(rates), 100, 0.01);
}

TEST(SyntheticPatternTest, WeekdaysHaveTheirFactorsAndPassOverAroundMidnight) {
  LinkGroup links = Quiet();
  links.weekdays = {1, 1, 1, 1, 1, 0.5, 0.25};
  const auto rates = RatesOf(Of(links, 24h * 7));
  const auto at = [&rates](int day, double hour) {
    return rates[static_cast<std::size_t>(day * 86'400 + static_cast<int>(hour * 3600))];
  };
  EXPECT_DOUBLE_EQ(at(0, 12), 100);
  EXPECT_DOUBLE_EQ(at(4, 23.4), 100);
  EXPECT_NEAR(at(5, 0), 75, 0.1);
  EXPECT_DOUBLE_EQ(at(5, 12), 50);
  EXPECT_DOUBLE_EQ(at(6, 12), 25);
  EXPECT_NEAR(at(6, 23.999), 62.5, 0.5);  // on the way to Monday
}

TEST(SyntheticPatternTest, TheCycleStartsWithTheScenarioAndLinksAreOutOfStep) {
  LinkGroup links = Quiet();
  links.count = 2;
  links.cycle = {.amplitude = 0.5, .period = 400s, .apart = 1};
  const Scenario scenario = Of(links, 400s);
  EXPECT_NEAR(LinkRate(scenario, links, 0).Expected(100), 150, 0.01);
  EXPECT_NEAR(LinkRate(scenario, links, 0).Expected(300), 50, 0.01);
  EXPECT_NEAR(LinkRate(scenario, links, 1).Expected(100),
              100 + 50 * std::sin(6.2831853 * (0.25125 + 0.618034)), 0.01);
}

TEST(SyntheticPatternTest, TheSpreadOfRatesKeepsTheirMean) {
  LinkGroup links = Quiet();
  links.count = 4000;
  links.rate_spread = 0.5;
  links.flows = 1;
  const Scenario scenario = Of(links, 1s);
  std::vector<double> logarithms;
  std::vector<double> rates;
  for (int i = 0; i < 4000; ++i) {
    rates.push_back(LinkRate(scenario, links, i).Expected(0));
    logarithms.push_back(std::log(rates.back()));
  }
  EXPECT_NEAR(Mean(rates), 100, 3);
  EXPECT_NEAR(std::sqrt(Covariance(logarithms, 0)), 0.5, 0.02);
}

TEST(SyntheticTruthTest, AnOverloadRisesStaysAndFalls) {
  LinkGroup links = Quiet();
  links.overloads = {{.at = {100s}, .lead_in = 40s, .length = 30s, .fall = 20s, .factor = 3}};
  const auto rates = RatesOf(Of(links, 300s));
  EXPECT_DOUBLE_EQ(rates[99], 100);
  EXPECT_NEAR(rates[120], 100 + 200 * 20.5 / 40, 1e-9);
  for (std::size_t second = 140; second < 170; ++second) EXPECT_DOUBLE_EQ(rates[second], 300);
  EXPECT_NEAR(rates[180], 100 + 200 * 9.5 / 20, 1e-9);
  EXPECT_DOUBLE_EQ(rates[190], 100);
}

TEST(SyntheticTruthTest, OverloadsComeAgainAndTogetherAsAsked) {
  LinkGroup links = Quiet();
  links.count = 3;
  links.overloads = {{.kind = "backup", .at = {1h}, .every = 24h, .length = 10min, .factor = 2},
                     {.kind = "crowd", .per_day = 2, .together = true, .length = 10min, .factor = 2},
                     {.kind = "own", .per_day = 2, .length = 10min, .factor = 2}};
  std::map<std::string, std::map<base::EventTime, int>> links_at;
  for (const TrueEpisode& episode : TrueEpisodes(Of(links, 24h * 10)))
    ++links_at[episode.kind][episode.start];
  EXPECT_EQ(links_at["backup"].size(), 10U);
  EXPECT_EQ(links_at["backup"].begin()->first, kMonday + 1h);
  EXPECT_NEAR(static_cast<double>(links_at["crowd"].size()), 20, 12);
  for (const auto& [start, count] : links_at["crowd"]) EXPECT_EQ(count, 3);
  EXPECT_NEAR(static_cast<double>(links_at["own"].size()), 60, 22);
}

TEST(SyntheticTruthTest, TheFileNamesLinksAndEpisodes) {
  LinkGroup links = Quiet();
  links.name = "uplink";
  links.network = "10.4.255.0";
  links.overloads = {{.at = {60s}, .lead_in = 10s, .length = 20s, .fall = 5s, .factor = 3}};
  std::ostringstream out;
  WriteTruth(Of(links, 90s), out);
  EXPECT_EQ(out.str(), R"({
  "start": 1793577600,
  "duration_s": 90,
  "seed": 1,
  "links": [
    {"name": "uplink", "home_networks": ["10.4.255.0/24", "fd10:0:4ff::/64"]}
  ],
  "bursts": [
    {"link": "uplink", "kind": "overload", "start": 1793577660, "top": 1793577670, "fall": 1793577690, "end": 1793577695, "peak_packets_per_s": 300, "expected_packets_per_s": 100}
  ]
}
)");
}

}  // namespace
}  // namespace flowcast::synthetic
