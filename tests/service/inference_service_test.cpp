// The inference task: forecasts, alerts, metrics, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/forecast_json.h"
#include "services/inference/inference_metrics.h"
#include "tests/service/inference_fixture.h"
#include "tests/support/metrics.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(InferenceServiceTest, WithoutAModelItForecastsAllTheSame) {
  Feed({10, 20, 30, 40});
  const auto forecasts = Forecasts();
  ASSERT_THAT(forecasts, SizeIs(2));
  EXPECT_EQ(forecasts[0].forecast.model_version, "");
  EXPECT_EQ(forecasts[0].forecast.link, "demo/a");
  EXPECT_EQ(forecasts[0].forecast.made_at, At(15));
  EXPECT_EQ(forecasts[0].forecast.last_actual, 30);
  EXPECT_EQ(forecasts[0].forecast.horizons[0].experts[0].name, "persistence");
  EXPECT_EQ(forecasts[0].forecast.horizons[0].experts[0].value, 30);
  EXPECT_THAT(forecasts[0].settled, IsEmpty());
  ASSERT_THAT(forecasts[1].settled, SizeIs(1));
  EXPECT_EQ(forecasts[1].settled[0].actual, 40);
  EXPECT_EQ(task_.counters().with_model, 0u);
  EXPECT_EQ(task_.scored(), 0u);
}

TEST_F(InferenceServiceTest, TheJsonMirrorHasEachForecastOnceMoreAndStaysEmptyUnasked) {
  Feed({10, 20, 30, 40});
  EXPECT_THAT(bus_.Records(names_.forecasts_json), IsEmpty());
  EXPECT_EQ(task_.counters().json_records, 0u);
  InferenceTask mirroring({.json_mirror = true}, names_, watcher_, clock_, lines_.log());
  mirroring.Connect(store_);
  support::Instance instance(bus_, clock_, mirroring, names_.sequences, "mirroring");
  instance.RunOut();
  const auto forecasts = bus_.Records(names_.forecasts);
  const auto mirrored = bus_.Records(names_.forecasts_json);
  ASSERT_THAT(forecasts, SizeIs(4)) << "of two services";
  ASSERT_THAT(mirrored, SizeIs(2));
  EXPECT_EQ(mirroring.counters().json_records, 2u);
  for (std::size_t i = 0; i < mirrored.size(); ++i) {
    EXPECT_EQ(mirrored[i].key, "demo/a");
    EXPECT_EQ(mirrored[i].value, wire::EncodeJson(wire::DecodeForecast(forecasts[2 + i].value).value()));
  }
}

TEST_F(InferenceServiceTest, TheLiveErrorIsToldByHorizon) {
  Feed({10, 20, 30, 40, 50, 60});
  const auto metrics = InferenceMetrics().Read({instance_->counters(), task_, watcher_, rules_});
  const std::string settled = "flowcast_inference_horizon_settled_forecasts_total";
  EXPECT_EQ(support::ValueOf(metrics, settled), static_cast<double>(task_.counters().settled));
  EXPECT_EQ(support::ValueOf(metrics, settled, "1"), 3);
  EXPECT_EQ(support::ValueOf(metrics, settled, "3"), 1);
  EXPECT_FALSE(std::isnan(support::ValueOf(metrics, "flowcast_inference_live_skill_ratio", "2")));
  EXPECT_TRUE(std::isnan(support::ValueOf(metrics, "flowcast_inference_live_skill_ratio", "6")));
}

TEST_F(InferenceServiceTest, AModelsAnswerIsAmongTheExperts) {
  Publish(FittingManifest("v1"), "0");
  Feed({10, 20, 30, 40});
  const auto forecasts = Forecasts();
  ASSERT_THAT(forecasts, SizeIs(2));
  EXPECT_EQ(forecasts[0].forecast.model_version, "v1");
  const auto& opinion = forecasts[0].forecast.horizons[0].experts.back();
  EXPECT_EQ(opinion.name, "lstm");
  EXPECT_NEAR(opinion.value, 20, 1e-9) << "the middle of the sequence";
  EXPECT_EQ(task_.counters().with_model, 2u);
  EXPECT_EQ(task_.scored(), 1u);
  EXPECT_EQ(task_.absolute_error_persistence(), 10);
}

TEST_F(InferenceServiceTest, EveryHorizonIsForecastAndSettledAndTheModelIsHeardWhereItForecasts) {
  Publish(FittingManifest("v1"), "0");
  Feed({10, 20, 30, 40, 50, 60});
  const auto forecasts = Forecasts();
  ASSERT_THAT(forecasts, SizeIs(4));
  const auto& horizons = forecasts[0].forecast.horizons;
  ASSERT_THAT(horizons, SizeIs(5));
  EXPECT_EQ(horizons[0].experts.back().name, "lstm");
  EXPECT_EQ(horizons[1].experts.back().name, "autoregression");
  EXPECT_EQ(horizons[2].target_start, At(15 + 2 * 5));
  std::vector<int> settled;
  for (const forecast::Settled& one : forecasts[3].settled) settled.push_back(one.horizon_windows);
  EXPECT_THAT(settled, testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(forecasts[3].settled[2].persistence, 30);
  EXPECT_EQ(task_.counters().settled, 6u);
}

TEST_F(InferenceServiceTest, AModelsNetworksAreHeardSideBySideAndUnknownOnesAreLeftOut) {
  const auto manifest = FittingManifest("v1");
  support::Send(
      bus_, names_.models,
      wire::Encode(model_store::Model{manifest, {{"lstm", "0"}, {"oracle", "?"}, {"xgboost", "1"}}}),
      wire::ModelKey(manifest.name, manifest.version));
  PointAt("v1");
  Feed({10, 20, 30});
  const auto experts = Forecasts().at(0).forecast.horizons[0].experts;
  ASSERT_THAT(experts, SizeIs(7)) << "seasonal has nothing to say";
  EXPECT_EQ(experts[5].name, "xgboost");
  EXPECT_EQ(experts[6].name, "lstm");
  EXPECT_GT(experts[5].value, experts[6].value);
  EXPECT_TRUE(lines_.Contain("has a network 'oracle' that this version does not know"));
  EXPECT_TRUE(lines_.Contain("using model v1 (lstm, xgboost), trained until"));
}

TEST_F(InferenceServiceTest, TheUsualLoadIsToldToTheExperts) {
  auto sequences = support::MakeSequences("demo/a", std::vector<double>(20, 50));
  for (feature::Sequence& sequence : sequences) {
    sequence.usual.assign(13, {.packets = 50, .bytes = 5000, .days = 2});
    SendSequence(sequence);
  }
  sequences.back().end += 5s;
  sequences.back().last[feature::kPackets] = 60;
  SendSequence(sequences.back());
  instance_->RunOut();
  const auto experts = Forecasts().back().forecast.horizons[0].experts;
  EXPECT_THAT(experts, testing::Contains(testing::Field(&forecast::ExpertOpinion::name, "seasonal")));
}

TEST_F(InferenceServiceTest, ItsMetricsAddUpAndTellTheModel) {
  const auto read = [this] {
    return InferenceMetrics().Read({instance_->counters(), task_, watcher_, rules_});
  };
  EXPECT_THAT(support::Problems(read(), "flowcast_inference_"), IsEmpty());
  EXPECT_TRUE(std::isnan(support::ValueOf(read(), "flowcast_inference_model_info"))) << "there is none yet";
  Publish(FittingManifest("v1"), "0");
  Feed({10, 20, 30, 40});
  support::Send(bus_, names_.sequences, "garbage");
  Feed({50});
  const auto metrics = read();
  EXPECT_THAT(support::Problems(metrics, "flowcast_inference_"), IsEmpty());
  const auto value = [&](const std::string& name, const std::string& label = "") {
    return support::ValueOf(metrics, "flowcast_inference_" + name, label);
  };
  EXPECT_EQ(value("sequences_total"), 4);
  EXPECT_EQ(value("sequences_total"), value("forecast_sequences_total") + value("refused_sequences_total") +
                                          value("stale_sequences_total") + value("astray_sequences_total") +
                                          value("refolded_sequences_total"));
  EXPECT_EQ(value("read_records_total"), value("sequences_total"));
  EXPECT_EQ(value("model_forecasts_total"), 3);
  EXPECT_EQ(value("absolute_error_total", "persistence"), 10 * value("scored_forecasts_total"));
  EXPECT_EQ(value("intervals_total", "covered") + value("intervals_total", "outside"), 2);
  EXPECT_EQ(value("model_info", "v1"), 1);
}

TEST_F(InferenceServiceTest, ItsMetricsTellTheLastForecastsOfTheLinksWithMostLoad) {
  InferenceOptions options{.rules = BuiltInRules()};
  options.shown.most = 1;
  InferenceTask task(options, names_, watcher_, clock_, lines_.log());
  task.Connect(store_);
  support::Instance instance(bus_, clock_, task, names_.sequences, "few");
  Feed({1, 2, 3, 4}, "demo/idle");
  Feed({100, 200, 300, 400}, "demo/busy");
  instance.RunOut();
  const auto metrics = InferenceMetrics().Read({instance.counters(), task, watcher_, rules_});
  EXPECT_THAT(support::Problems(metrics, "flowcast_inference_"), IsEmpty());
  const auto value = [&](const std::string& name, const std::string& label = "") {
    return support::ValueOf(metrics, "flowcast_inference_link_" + name, label);
  };
  EXPECT_TRUE(std::isnan(value("load", "demo/idle"))) << "there is room for one";
  EXPECT_EQ(value("load", "demo/busy"), 400);
  EXPECT_EQ(value("window_length_seconds"), 5);
  const auto forecast = Forecasts().back().forecast;
  ASSERT_EQ(forecast.link, "demo/busy");
  EXPECT_EQ(value("forecast", "1"), forecast.horizons.front().median());
  EXPECT_EQ(value("forecast_bound", "low") < value("forecast_bound", "high"), true);
  EXPECT_EQ(value("window_end_timestamp_seconds"), base::ToUnixSeconds(forecast.made_at));
}

TEST_F(InferenceServiceTest, ItsMetricsTellHowOldAWindowIsWhenItIsForecastFrom) {
  clock_.Advance(120s);
  Feed({10, 20, 30, 40});
  EXPECT_EQ(task_.newest_end(), At(20));
  EXPECT_NEAR(task_.delays().sum(), (120 - 15) + (120 - 20), 2);
  EXPECT_EQ(task_.delays().counts()[10], 2U) << "between a minute and five";
}

TEST_F(InferenceServiceTest, ItsMetricsTellWhatForecastersRefusedAndBounded) {
  const auto value = [this](const std::string& name) {
    const auto metrics = InferenceMetrics().Read({instance_->counters(), task_, watcher_, rules_});
    return support::ValueOf(metrics, "flowcast_inference_" + name);
  };
  Feed({10, 11, 10, 11, 10, 11});
  EXPECT_EQ(value("clipped_values_total"), 0);
  Feed({1e9});
  EXPECT_GT(value("clipped_values_total"), 0) << "a leap of a million times the usual error";
  EXPECT_EQ(value("ignored_values_total"), 0);
  Feed({1e19});
  EXPECT_EQ(value("ignored_values_total"), 1);
}

TEST_F(InferenceServiceTest, ItsMetricsTellHowManyAlertsThereAreNow) {
  Feed({200, 200, 200, 200});
  clock_.Advance(11s);
  instance_->RunOut();
  Feed({200});
  EXPECT_EQ(task_.active_alerts().firing, 1U);
}

TEST_F(InferenceServiceTest, WindowsThatTheModelLearnedFromGetNoModelValueAndNoAlert) {
  auto manifest = FittingManifest("v1");
  manifest.trained_until = At(30);
  Publish(manifest, "0");
  Feed({500, 500, 500, 500, 500, 500, 500});
  const auto forecasts = Forecasts();
  ASSERT_THAT(forecasts, SizeIs(5));
  for (const auto& record : forecasts) {
    EXPECT_EQ(record.forecast.model_version, record.forecast.made_at < At(30) ? "" : "v1");
  }
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].started_at, At(30));
}

TEST_F(InferenceServiceTest, AConditionIsOneAlertAndIsResolvedOnce) {
  Feed({10, 10, 10, 500, 500, 500, 500});
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].state, alert::State::kFiring);
  EXPECT_EQ(Alerts()[0].link, "demo/a");
  Feed({10, 10, 10, 10, 10, 10});
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_EQ(Alerts()[1].state, alert::State::kResolved);
  EXPECT_EQ(Alerts()[1].fingerprint, Alerts()[0].fingerprint);
  EXPECT_EQ(task_.alert_counters().fired, 1u);
  EXPECT_EQ(task_.alert_counters().resolved, 1u);
  const bus::InRecord record = bus_.Records(names_.alerts).at(0);
  EXPECT_EQ(record.key, Alerts()[0].fingerprint);
  EXPECT_THAT(record.headers, testing::Contains(bus::Header{"ce_subject", "demo/a"}));
  EXPECT_TRUE(lines_.Contain("alert fired: demo/a will stay above 100 packets per 5s for 5 s, P = 0."));
  EXPECT_TRUE(lines_.Contain("; trace " + wire::TraceIdOf(Alerts()[0])));
}

TEST_F(InferenceServiceTest, RepeatedAndOlderSequencesAreStale) {
  const auto sequences = support::MakeSequences("demo/a", {10, 20, 30, 40, 50});
  SendSequence(sequences[0]);
  SendSequence(sequences[1]);
  SendSequence(sequences[1]);
  SendSequence(sequences[0]);
  SendSequence(sequences[2]);
  instance_->RunOut();
  EXPECT_THAT(Forecasts(), SizeIs(3));
  EXPECT_EQ(task_.counters().stale, 2u);
}

TEST_F(InferenceServiceTest, ASequenceFromTheFutureDoesNotStopALink) {
  auto sequences = support::MakeSequences("demo/a", {10, 20, 30, 40, 50, 60, 70});
  sequences[2].end += 24h * 365;
  for (const feature::Sequence& sequence : sequences) SendSequence(sequence);
  instance_->RunOut();
  EXPECT_THAT(Forecasts(), SizeIs(sequences.size() - 1));
  EXPECT_EQ(task_.counters().astray, 1u);
  EXPECT_EQ(task_.counters().stale, 0u);
}

TEST_F(InferenceServiceTest, ALinkFollowsItsClockToAnotherTimeOnceItIsSure) {
  Feed({10, 10, 10, 500, 500, 500, 500});
  ASSERT_THAT(Alerts(), SizeIs(1));
  for (const base::Duration jump : {24h * 30, -24h * 30}) {
    const std::size_t before = Forecasts().size();
    auto sequences = support::MakeSequences("demo/a", {10, 20, 30, 40, 50});
    for (feature::Sequence& sequence : sequences) {
      sequence.end += jump;
      SendSequence(sequence);
    }
    instance_->RunOut();
    EXPECT_THAT(Forecasts(), SizeIs(before + sequences.size() - 1));
    EXPECT_EQ(Forecasts().back().forecast.made_at, sequences.back().end);
  }
  EXPECT_EQ(task_.counters().astray, 2u);
  EXPECT_EQ(task_.counters().stale, 0u);
  EXPECT_EQ(Alerts().back().state, alert::State::kResolved) << "nobody is left with an alert of another time";
}

TEST_F(InferenceServiceTest, WindowsOfAnotherLengthEndTheAlertsOfThoseBefore) {
  Feed({10, 10, 10, 500, 500, 500, 500});
  ASSERT_THAT(Alerts(), SizeIs(1));
  for (feature::Sequence& sequence : support::MakeSequences("demo/a", {10, 10, 10, 10}, 3, 7)) {
    sequence.window_length = 10s;
    SendSequence(sequence);
  }
  instance_->RunOut();
  EXPECT_EQ(Forecasts().back().forecast.window_length, 10s);
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_EQ(Alerts()[1].fingerprint, Alerts()[0].fingerprint);
  EXPECT_EQ(Alerts()[1].state, alert::State::kResolved);
  EXPECT_EQ(Alerts()[1].reason, alert::Reason::kForgotten);
  EXPECT_EQ(Alerts()[1].resolved_at, At(35)) << "the end of the last window known";
}

TEST_F(InferenceServiceTest, GarbageAndForeignSchemasAreCountedAndSkipped) {
  auto sequence = support::MakeSequences("demo/a", {10, 20, 30}).at(0);
  support::Send(bus_, names_.sequences, "no protobuf");
  SendSequence(sequence);
  sequence.schema_hash ^= 1;
  sequence.end += 5s;
  SendSequence(sequence);
  instance_->RunOut();
  EXPECT_THAT(Forecasts(), SizeIs(1));
  const InferenceCounters& counters = task_.counters();
  EXPECT_EQ(counters.refused.not_ours, 1u);
  EXPECT_EQ(counters.refused.schema, 1u);
  EXPECT_EQ(counters.sequences, counters.forecast + counters.refused.sum() + counters.stale);
  EXPECT_TRUE(lines_.Contain(
      "skipped a record of flowcast.sequences.v1 (partition 0, offset 0): not a message of ours"));
  EXPECT_TRUE(lines_.Contain("another feature schema"));
}

TEST_F(InferenceServiceTest, LinksDoNotDisturbEachOther) {
  Feed({10, 10, 10, 10}, "demo/a");
  Feed({500, 500, 500, 500}, "demo/b");
  EXPECT_THAT(Forecasts(), SizeIs(4));
  ASSERT_THAT(Alerts(), SizeIs(1));
  EXPECT_EQ(Alerts()[0].link, "demo/b");
}

TEST_F(InferenceServiceTest, AnAbortedCommitLosesNoForecastAndDoublesNone) {
  Feed({10, 20, 30});
  bus_.faults().abort_next_commits = 1;
  Feed({40, 50});
  std::vector<base::EventTime> made;
  for (const auto& record : Forecasts()) made.push_back(record.forecast.made_at);
  EXPECT_THAT(made, testing::ElementsAre(At(15), At(20), At(25)));
}

}  // namespace
}  // namespace flowcast::services
