// telemetry: tables, the board and health.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libs/telemetry/describe.h"
#include "libs/telemetry/health.h"
#include "libs/telemetry/metric_board.h"
#include "libs/telemetry/table.h"

namespace flowcast::telemetry {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Mill {
  std::uint64_t sacks = 0;
  std::uint64_t lost_to_mice = 0;
  std::uint64_t lost_to_rain = 0;
  std::optional<double> wind;
  std::string miller;
  std::map<std::string, double> grain_kg;
};

const Table<Mill>& MillMetrics() {
  static const Table<Mill> table =
      Table<Mill>()
          .Counter("mill_sacks_total", "Sacks ground.", [](const Mill& mill) { return mill.sacks; })
          .Counter("mill_lost_sacks_total", "Sacks lost.", "reason",
                   {{"mice", [](const Mill& mill) { return mill.lost_to_mice; }},
                    {"rain", [](const Mill& mill) { return mill.lost_to_rain; }}})
          .Gauge("mill_wind_meters_per_second", "Of the wind.", [](const Mill& mill) { return mill.wind; })
          .Gauge("mill_grain_kg", "Grain there is.", {"kind", "dry"},
                 [](const Mill& mill) {
                   Table<Mill>::Rows rows;
                   for (const auto& [kind, kg] : mill.grain_kg) rows.push_back({{kind, "yes"}, kg});
                   return rows;
                 })
          .Info("mill_miller_info", "Who it is.", {"name"}, [](const Mill& mill) {
            return mill.miller.empty() ? std::nullopt
                                       : std::optional<std::vector<std::string>>({mill.miller});
          });
  return table;
}

TEST(Table, ReadsEveryRowFromTheSource) {
  const auto metrics = MillMetrics().Read({.sacks = 7,
                                           .lost_to_mice = 1,
                                           .lost_to_rain = 2,
                                           .wind = 3.5,
                                           .miller = "Jan",
                                           .grain_kg = {{"oats", 5}, {"rye", 8}}});
  ASSERT_EQ(metrics.size(), 5U);
  EXPECT_EQ(metrics[0], (Metric{"mill_sacks_total", "Sacks ground.", Kind::kCounter, {{{}, 7}}}));
  EXPECT_EQ(metrics[1], (Metric{"mill_lost_sacks_total",
                                "Sacks lost.",
                                Kind::kCounter,
                                {{{{"reason", "mice"}}, 1}, {{{"reason", "rain"}}, 2}}}));
  EXPECT_EQ(metrics[2], (Metric{"mill_wind_meters_per_second", "Of the wind.", Kind::kGauge, {{{}, 3.5}}}));
  EXPECT_EQ(metrics[3],
            (Metric{"mill_grain_kg",
                    "Grain there is.",
                    Kind::kGauge,
                    {{{{"kind", "oats"}, {"dry", "yes"}}, 5}, {{{"kind", "rye"}, {"dry", "yes"}}, 8}}}));
  EXPECT_EQ(metrics[4], (Metric{"mill_miller_info", "Who it is.", Kind::kGauge, {{{{"name", "Jan"}}, 1}}}));
}

TEST(Distribution, CountsAValueForTheFirstBoundThatIsNotBelowIt) {
  Distribution distribution({1, 2, 5});
  for (const double value : {-3.0, 0.5, 1.0, 1.5, 5.0, 5.1, 900.0}) distribution.Add(value);
  EXPECT_THAT(distribution.counts(), ElementsAre(3, 1, 1, 2));
  EXPECT_DOUBLE_EQ(distribution.sum(), 0 + 0.5 + 1 + 1.5 + 5 + 5.1 + 900) << "what is below 0 adds nothing";
}

TEST(Table, ReadsADistributionAsAHistogram) {
  Distribution weights({1, 2});
  weights.Add(1.5);
  const auto table = Table<Distribution>().Histogram("mill_sack_weight_tons", "Of sacks.",
                                                     [](const Distribution& known) { return known; });
  EXPECT_EQ(table.Read(weights).front(),
            (Metric{"mill_sack_weight_tons", "Of sacks.", Kind::kHistogram, {{{}, 0, weights}}}));
  EXPECT_EQ(MarkdownRows(table.Describe()), "| `mill_sack_weight_tons` | histogram |  | Of sacks. |\n");
}

TEST(Table, GivesNoSampleForWhatIsNotKnown) {
  const auto metrics = MillMetrics().Read({});
  EXPECT_THAT(metrics[2].samples, IsEmpty());
  EXPECT_THAT(metrics[3].samples, IsEmpty());
  EXPECT_THAT(metrics[4].samples, IsEmpty());
  EXPECT_EQ(metrics[0].samples.size(), 1U) << "zero is known";
}

TEST(Table, IsDescribedWithoutASource) {
  EXPECT_EQ(MarkdownRows(MillMetrics().Describe()),
            "| `mill_sacks_total` | counter |  | Sacks ground. |\n"
            "| `mill_lost_sacks_total` | counter | `reason`: mice, rain | Sacks lost. |\n"
            "| `mill_wind_meters_per_second` | gauge |  | Of the wind. |\n"
            "| `mill_grain_kg` | gauge | `kind`; `dry` | Grain there is. |\n"
            "| `mill_miller_info` | gauge | `name` | Who it is. |\n");
}

TEST(Timestamp, IsInSecondsAndUnknownAtTheEndsOfTime) {
  EXPECT_EQ(TimestampSeconds(base::FromUnixNanoseconds(1'500'000'000)), 1.5);
  EXPECT_EQ(TimestampSeconds(base::kBeginningOfTime), std::nullopt);
  EXPECT_EQ(TimestampSeconds(base::kEndOfTime), std::nullopt);
}

TEST(MetricBoard, HoldsTheNewestPublication) {
  MetricBoard board;
  EXPECT_THAT(board.Snapshot(), IsEmpty());
  board.Publish({{.name = "a"}, {.name = "b"}});
  board.Publish({{.name = "c"}});
  EXPECT_THAT(board.Snapshot(), ElementsAre(Metric{.name = "c"}));
}

TEST(MetricBoard, GivesOnePublicationAsAWholeWhileAnotherThreadPublishes) {
  MetricBoard board;
  std::atomic<bool> done = false;
  std::thread publisher([&] {
    for (int i = 0; i < 2'000; ++i) {
      const Metric metric{.name = std::to_string(i), .samples = {{{}, static_cast<double>(i)}}};
      board.Publish({metric, metric});
    }
    done = true;
  });
  while (!done) {
    const auto metrics = board.Snapshot();
    if (metrics.empty()) continue;
    ASSERT_EQ(metrics.size(), 2U);
    ASSERT_EQ(metrics[0], metrics[1]);
  }
  publisher.join();
  EXPECT_EQ(board.Snapshot()[0].name, "1999");
}

TEST(Health, StartsAliveAndNotReady) {
  const Health health(10s);
  EXPECT_TRUE(health.Live(1000s).ok);
  EXPECT_EQ(health.Live(1000s).reason, "starting");
  EXPECT_FALSE(health.Ready(1000s).ok);
  EXPECT_EQ(health.Ready(1000s).reason, "starting");
}

TEST(Health, IsAliveWhileItBeatsAndStalledAfterwards) {
  Health health(10s);
  health.Beat(5s);
  EXPECT_TRUE(health.Live(15s).ok);
  EXPECT_FALSE(health.Live(16s).ok);
  EXPECT_EQ(health.Live(16s).reason, "stalled: no turn of the loop for 11 s, longer than 10 s");
  health.Beat(16s);
  EXPECT_TRUE(health.Live(17s).ok);
}

TEST(Health, IsReadyWhenToldSoAndNotStalled) {
  Health health(10s);
  health.Beat(0s);
  health.SetReady(false, "waiting for Kafka");
  EXPECT_EQ(health.Ready(1s).reason, "waiting for Kafka");
  health.SetReady(true, "running");
  EXPECT_TRUE(health.Ready(1s).ok);
  EXPECT_FALSE(health.Ready(11s).ok);
}

}  // namespace
}  // namespace flowcast::telemetry
