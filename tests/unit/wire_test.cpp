// Messages as bytes and back, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "flowcast/v1/forecasts.pb.h"
#include "flowcast/v1/models.pb.h"
#include "flowcast/v1/packets.pb.h"
#include "flowcast/v1/state.pb.h"
#include "flowcast/v1/windows.pb.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/commit_note.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/inference_state_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"
#include "tests/support/alerts.h"
#include "tests/support/messages.h"

namespace flowcast::wire {
namespace {

using support::At;
using testing::Contains;
using testing::SizeIs;

constexpr int kRounds = 200;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename Result>
void ExpectRefused(const Result& result, WireError reason, const std::string& what = "") {
  ASSERT_FALSE(result) << what << " was taken";
  EXPECT_EQ(ToString(result.error()), ToString(reason)) << what;
}

/// A valid message with one thing changed.
template <typename Message>
std::string Changed(const std::string& bytes, const std::function<void(Message&)>& change) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  change(message);
  return message.SerializeAsString();
}

TEST(PacketWireTest, ABatchComesBackAsItWas) {
  base::Random random(1);
  for (int i = 0; i < kRounds; ++i) {
    const packet::PacketBatch batch = support::AnyBatch(random);
    const auto decoded = DecodePacketBatch(Encode(batch));
    ASSERT_TRUE(decoded);
    ASSERT_EQ(*decoded, batch);
  }
}

TEST(PacketWireTest, AnotherVersionIsRefused) {
  const std::string bytes = Changed<v1::PacketBatch>(
      Encode(support::Stream().Next(At(0))), [](v1::PacketBatch& message) { message.set_version(2); });
  ExpectRefused(DecodePacketBatch(bytes), WireError::kUnknownVersion);
  ExpectRefused(DecodePacketBatch(""), WireError::kUnknownVersion);
  ExpectRefused(DecodePacketBatch("no protobuf"), WireError::kNotOurs);
}

TEST(PacketWireTest, ContradictionsAreRefused) {
  using Batch = v1::PacketBatch;
  const std::map<std::string, std::function<void(Batch&)>> changes{
      {"a column too short: indexes", [](Batch& m) { m.mutable_flow_indexes()->RemoveLast(); }},
      {"a column too short: lengths", [](Batch& m) { m.mutable_wire_lengths_bytes()->RemoveLast(); }},
      {"a column too short: flags", [](Batch& m) { m.mutable_tcp_flags()->pop_back(); }},
      {"a column too long: classes", [](Batch& m) { m.mutable_traffic_classes()->push_back('x'); }},
      {"a column too long: ttls", [](Batch& m) { m.mutable_ttls()->push_back('x'); }},
      {"a column too long: times", [](Batch& m) { m.add_time_deltas(0); }},
      {"a flow that is not there", [](Batch& m) { m.set_flow_indexes(0, 2); }},
      {"a link that is not there", [](Batch& m) { m.mutable_flows()->set_link_indexes(1, 1); }},
      {"no links", [](Batch& m) { m.clear_links(); }},
      {"flows too short: versions", [](Batch& m) { m.mutable_flows()->mutable_ip_versions()->pop_back(); }},
      {"flows too short: protocols", [](Batch& m) { m.mutable_flows()->mutable_protocols()->pop_back(); }},
      {"flows too short: ports", [](Batch& m) { m.mutable_flows()->mutable_source_ports()->RemoveLast(); }},
      {"flows too short: other ports",
       [](Batch& m) { m.mutable_flows()->mutable_destination_ports()->RemoveLast(); }},
      {"flows too short: types", [](Batch& m) { m.mutable_flows()->mutable_ether_types()->RemoveLast(); }},
      {"IP version 5", [](Batch& m) { (*m.mutable_flows()->mutable_ip_versions())[0] = 5; }},
      {"an address cut off", [](Batch& m) { m.mutable_flows()->mutable_addresses()->pop_back(); }},
      {"a byte too many", [](Batch& m) { m.mutable_flows()->mutable_addresses()->push_back('x'); }},
      {"flows too short: directions", [](Batch& m) { m.mutable_flows()->mutable_directions()->pop_back(); }},
      {"flows too short: ttls", [](Batch& m) { m.mutable_flows()->mutable_ttls()->pop_back(); }},
      {"flows too short: classes",
       [](Batch& m) { m.mutable_flows()->mutable_traffic_classes()->pop_back(); }},
      {"a direction that is none", [](Batch& m) { (*m.mutable_flows()->mutable_directions())[0] = 5; }},
      {"flows too short: casts", [](Batch& m) { m.mutable_flows()->mutable_casts()->pop_back(); }},
      {"flows too short: ages", [](Batch& m) { m.mutable_flows()->mutable_ages()->RemoveLast(); }},
      {"a cast that is none", [](Batch& m) { (*m.mutable_flows()->mutable_casts())[0] = 3; }},
      {"a flow's start out of range",
       [](Batch& m) { m.mutable_flows()->set_ages(0, std::int64_t{1} << 43); }},
      {"a flow's start that overflows",
       [](Batch& m) { m.mutable_flows()->set_ages(0, std::numeric_limits<std::int64_t>::min()); }},
      {"a repeat that is not there", [](Batch& m) { m.add_repeat_gaps(2); }},
      {"repeats beyond the end",
       [](Batch& m) {
         for (const std::uint32_t gap : {0u, 1u}) m.add_repeat_gaps(gap);
       }},
      {"a straggler that is not there",
       [](Batch& m) {
         m.add_straggler_indexes(2);
         m.add_straggler_watermarks_ns(0);
       }},
      {"a straggler without its watermark", [](Batch& m) { m.add_straggler_indexes(1); }},
      {"stragglers that do not ascend",
       [](Batch& m) {
         for (const std::uint32_t index : {1u, 0u}) {
           m.add_straggler_indexes(index);
           m.add_straggler_watermarks_ns(0);
         }
       }},
      {"a straggler's watermark out of range",
       [](Batch& m) {
         m.add_straggler_indexes(1);
         m.add_straggler_watermarks_ns(std::int64_t{1} << 62);
       }},
      {"a sequence number that could run over", [](Batch& m) { m.set_sequence(std::uint64_t{1} << 62); }},
      {"a unit that makes a time overflow",
       [](Batch& m) {
         m.set_time_deltas(1, std::int64_t{1} << 61);
         m.set_time_unit_ns(1'000'000);
       }},
      {"epoch 0", [](Batch& m) { m.set_epoch(0); }},
      {"a watermark out of range", [](Batch& m) { m.set_watermark_ns(std::int64_t{1} << 62); }},
      {"a start out of range", [](Batch& m) { m.set_started_ns(std::numeric_limits<std::int64_t>::min()); }},
      {"a time out of range", [](Batch& m) { m.set_time_deltas(1, std::int64_t{1} << 62); }},
      {"a time that overflows",
       [](Batch& m) { m.set_time_deltas(1, std::numeric_limits<std::int64_t>::max()); }},
  };
  support::Stream stream;
  stream.Add("a", At(0), 60, support::Flow(1)).Add("a", At(1), 60, support::Flow(2));
  const std::string good = Encode(stream.Next(At(1)));
  ASSERT_TRUE(DecodePacketBatch(good));
  for (const auto& [what, change] : changes) {
    ExpectRefused(DecodePacketBatch(Changed<Batch>(good, change)), WireError::kInconsistent, what);
  }
}

TEST(PacketWireTest, ABatchWithoutCastsAndAgesIsTakenAsOneWhereNothingBegins) {
  support::Stream stream;
  const packet::PacketBatch batch = stream.Add("a", At(0)).Next(At(1));
  const auto decoded =
      DecodePacketBatch(Changed<v1::PacketBatch>(Encode(batch), [](v1::PacketBatch& message) {
        message.mutable_flows()->clear_casts();
        message.mutable_flows()->clear_ages();
      }));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->marks.at(0), 0);
  EXPECT_EQ(decoded->flows.at(0).cast, packet::Cast::kUnicast);
  EXPECT_EQ(decoded->flows.at(0).started, At(0));
}

TEST(WindowWireTest, AWindowComesBackAsItWas) {
  base::Random random(2);
  for (int i = 0; i < kRounds; ++i) {
    const feature::Window window = support::AnyWindow(random);
    ASSERT_EQ(DecodeWindow(Encode(window)).value(), window);
  }
}

TEST(WindowWireTest, ContradictionsAreRefused) {
  using Message = v1::Window;
  base::Random random(2);
  const std::string good = Encode(support::AnyWindow(random));
  const std::map<std::string, std::function<void(Message&)>> changes{
      {"no bytes", [](Message& m) { m.mutable_features()->Truncate(1); }},
      {"too many features", [](Message& m) { m.mutable_features()->Resize(4097, 0); }},
      {"not a number", [](Message& m) { m.set_features(3, kNan); }},
      {"no length", [](Message& m) { m.set_length_ns(0); }},
      {"a negative length", [](Message& m) { m.set_length_ns(-1); }},
      {"a start out of range", [](Message& m) { m.set_start_ns(-(std::int64_t{1} << 62)); }},
  };
  for (const auto& [what, change] : changes) {
    ExpectRefused(DecodeWindow(Changed<Message>(good, change)), WireError::kInconsistent, what);
  }
  ExpectRefused(DecodeWindow(Changed<Message>(good, [](Message& m) { m.set_version(9); })),
                WireError::kUnknownVersion);
}

TEST(SequenceWireTest, ASequenceComesBackAsItWas) {
  base::Random random(3);
  for (int i = 0; i < kRounds; ++i) {
    const feature::Sequence sequence = support::AnySequence(random);
    ASSERT_EQ(DecodeSequence(Encode(sequence)).value(), sequence);
  }
}

TEST(SequenceWireTest, ContradictionsAreRefused) {
  using Message = v1::Sequence;
  base::Random random(3);
  const std::string good = Encode(support::AnySequence(random));
  const std::map<std::string, std::function<void(Message&)>> changes{
      {"no length", [](Message& m) { m.set_length(0); }},
      {"another length", [](Message& m) { m.set_length(m.length() + 1); }},
      {"a length that overflows", [](Message& m) { m.set_length(171'798'692); }},
      {"a value too few", [](Message& m) { m.mutable_values()->RemoveLast(); }},
      {"a centre too few", [](Message& m) { m.mutable_centre()->RemoveLast(); }},
      {"a scale too many", [](Message& m) { m.add_scale(1); }},
      {"a last too few", [](Message& m) { m.mutable_last()->RemoveLast(); }},
      {"a value that is no number",
       [](Message& m) { m.set_values(0, std::numeric_limits<float>::quiet_NaN()); }},
      {"a centre that is no number", [](Message& m) { m.set_centre(0, kNan); }},
      {"an infinite scale", [](Message& m) { m.set_scale(0, std::numeric_limits<double>::infinity()); }},
      {"a last that is no number", [](Message& m) { m.set_last(0, kNan); }},
      {"a scale of 0", [](Message& m) { m.set_scale(5, 0); }},
      {"no window", [](Message& m) { m.set_window_ns(0); }},
      {"an end out of range", [](Message& m) { m.set_end_ns(std::int64_t{1} << 62); }},
  };
  for (const auto& [what, change] : changes) {
    ExpectRefused(DecodeSequence(Changed<Message>(good, change)), WireError::kInconsistent, what);
  }
  ExpectRefused(DecodeSequence(Changed<Message>(good, [](Message& m) { m.set_version(9); })),
                WireError::kUnknownVersion);
}

TEST(ForecastWireTest, AForecastComesBackAsItWas) {
  base::Random random(4);
  for (int i = 0; i < kRounds; ++i) {
    const ForecastRecord record = support::AnyForecast(random);
    const auto decoded = DecodeForecast(Encode(record));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->forecast.link, record.forecast.link);
    EXPECT_EQ(decoded->forecast.quality, record.forecast.quality);
    EXPECT_EQ(decoded->forecast.horizons.size(), record.forecast.horizons.size());
    EXPECT_EQ(decoded->forecast.horizons[0].quantiles, record.forecast.horizons[0].quantiles);
    EXPECT_EQ(decoded->settled.size(), record.settled.size());
    EXPECT_EQ(Encode(*decoded), Encode(record)) << "nothing is lost";
  }
}

TEST(ForecastWireTest, ContradictionsAreRefused) {
  using Message = v1::Forecast;
  base::Random random(4);
  const std::string good = Encode(support::AnyForecast(random));
  const std::map<std::string, std::function<void(Message&)>> changes{
      {"no horizon", [](Message& m) { m.clear_horizons(); }},
      {"a quantile too few", [](Message& m) { m.mutable_horizons(0)->mutable_quantiles()->RemoveLast(); }},
      {"no window", [](Message& m) { m.set_window_ns(0); }},
      {"a time out of range", [](Message& m) { m.set_made_at_ns(std::int64_t{1} << 62); }},
      {"a target out of range",
       [](Message& m) { m.mutable_horizons(0)->set_target_start_ns(std::int64_t{1} << 62); }},
  };
  for (const auto& [what, change] : changes) {
    ExpectRefused(DecodeForecast(Changed<Message>(good, change)), WireError::kInconsistent, what);
  }
  ExpectRefused(DecodeForecast(Changed<Message>(good, [](Message& m) { m.set_version(0); })),
                WireError::kUnknownVersion);
}

TEST(ModelWireTest, AModelComesBackAsItWas) {
  base::Random random(5);
  for (int i = 0; i < kRounds; ++i) {
    const model_store::Model model{support::AnyManifest(random),
                                   {{"lstm", support::AnyText(random) + std::string("\0\xff", 2)},
                                    {"xgboost", support::AnyText(random)}}};
    const auto decoded = DecodeModel(Encode(model));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->networks, model.networks);
    EXPECT_EQ(ToJson(decoded->manifest), ToJson(model.manifest));
  }
}

TEST(ModelWireTest, DamagedWeightsAndManifestsAreRefused) {
  base::Random random(5);
  const std::string good = Encode(model_store::Model{support::AnyManifest(random), {{"lstm", "weights"}}});
  const auto weights = [](v1::Model& m) { m.mutable_networks(0)->set_weights("weightz"); };
  const auto manifest = [](v1::Model& m) { m.set_manifest("{}"); };
  ExpectRefused(DecodeModel(Changed<v1::Model>(good, weights)), WireError::kInconsistent);
  ExpectRefused(DecodeModel(Changed<v1::Model>(good, manifest)), WireError::kInconsistent);
  const auto networks = [](v1::Model& m) { m.clear_networks(); };
  ExpectRefused(DecodeModel(Changed<v1::Model>(good, networks)), WireError::kInconsistent);
  ExpectRefused(DecodeModel("no model"), WireError::kNotOurs);
}

TEST(InferenceStateWireTest, ComesBackAsItWas) {
  base::Random random(9);
  for (int i = 0; i < kRounds; ++i) {
    InferenceProgress progress{.next_offset = static_cast<std::int64_t>(random.Below(1000)),
                               .models = {},
                               .rules = {{3, {random.Next(), 7}}, {5, {}}}};
    for (std::uint64_t left = random.Below(4); left > 0; --left) {
      const std::int64_t after = progress.models.empty() ? 0 : progress.models.back().from_offset + 1;
      progress.models.push_back(
          {after + static_cast<std::int64_t>(random.Below(50)), support::AnyText(random)});
    }
    EXPECT_EQ(DecodeInferenceProgress(Encode(progress)).value(), progress);
    const InferenceLink link{.offset = static_cast<std::int64_t>(random.Below(1000)),
                             .last_end = support::AnyTime(random),
                             .astray = support::AnyTime(random),
                             .window_length = std::chrono::seconds(1 + random.Below(9)),
                             .forecasters = {support::AnyText(random) + std::string("\0\xff", 2)},
                             .alerts = {support::AnyActive(random), support::AnyActive(random)}};
    EXPECT_EQ(DecodeInferenceLink(Encode(link)).value(), link);
    InferenceLink several = link;
    several.forecasters.insert(several.forecasters.end(), {"", support::AnyText(random)});
    EXPECT_EQ(DecodeInferenceLink(Encode(several)).value(), several);
  }
}

TEST(InferenceStateWireTest, ContradictionsAndDamageAreRefused) {
  ExpectRefused(DecodeInferenceProgress(Encode(InferenceProgress{.next_offset = -1})),
                WireError::kInconsistent);
  ExpectRefused(DecodeInferenceProgress(Encode(InferenceProgress{.models = {{2, "b"}, {1, "a"}}})),
                WireError::kInconsistent);
  ExpectRefused(DecodeInferenceProgress(Encode(InferenceProgress{.rules = {{2, {}}, {1, {}}}})),
                WireError::kInconsistent);
  using Message = v1::InferenceLink;
  const std::string good =
      Encode(InferenceLink{.window_length = std::chrono::seconds(5), .forecasters = {"learned", "too"}});
  for (const auto& [what, change] : std::map<std::string, std::function<void(Message&)>>{
           {"other bytes", [](Message& m) { m.set_forecasters(1, "two"); }},
           {"no forecaster", [](Message& m) { m.clear_forecasters(), m.clear_forecaster_hashes(); }},
           {"a hash too many", [](Message& m) { m.add_forecaster_hashes(7); }},
           {"no window", [](Message& m) { m.set_window_ns(0); }},
           {"a time out of reach",
            [](Message& m) { m.set_last_end_ns(std::numeric_limits<std::int64_t>::max()); }},
           {"an offset that is none", [](Message& m) { m.set_offset(-1); }},
           {"an alert that is none", [](Message& m) { m.add_alerts(); }}}) {
    ExpectRefused(DecodeInferenceLink(Changed<Message>(good, change)), WireError::kInconsistent, what);
  }
  ExpectRefused(DecodeInferenceLink("no link"), WireError::kNotOurs);
}

TEST(ModelWireTest, TheCurrentRecordPointsAtAVersion) {
  EXPECT_EQ(DecodeCurrentModel(EncodeCurrentModel("v7")).value(), "v7");
  EXPECT_EQ(CurrentModelKey("default"), "default/current");
  EXPECT_EQ(ModelKey("default", "v7"), "default/v7");
}

TEST(AlertWireTest, AnAlertComesBackAsItWas) {
  base::Random random(6);
  for (int i = 0; i < kRounds; ++i) {
    const alert::Alert alert = support::AnyAlert(random);
    const auto decoded = DecodeAlertJson(EncodeJson(alert));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, alert);
  }
}

TEST(AlertWireTest, AnAlertOfAnEarlierVersionIsRead) {
  const auto decoded = DecodeAlertJson(
      R"({"version":1,"fingerprint":"22c0","state":"resolved","severity":"warning","summary":"s","link":"demo/lab",
          "rule":"load","target":"packets","threshold":340.0,"predicted":300.5,"low":314.75,"high":598.5,
          "probability":0.5,"last_actual":367.0,"started_at":"2026-11-21T09:46:15Z",
          "target_start":"2026-11-21T09:46:25Z","started_at_ns":1795254375000000000,
          "target_start_ns":1795254385000000000,"window_ns":1000000000,"horizon_windows":1,"model_version":"v",
          "resolved_at":"2026-11-21T09:46:25Z","resolved_at_ns":1795254385000000000})");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->kind, alert::Kind::kLoad);
  EXPECT_EQ(decoded->reason, alert::Reason::kCleared);
  EXPECT_EQ(decoded->fired_at, decoded->started_at);
  EXPECT_EQ(decoded->made_at, decoded->resolved_at);
  EXPECT_EQ(LeadSeconds(*decoded), 1);
}

TEST(AlertWireTest, WhatIsNoUtf8InALinksNameIsReplaced) {
  base::Random random(1);
  alert::Alert alert = support::AnyAlert(random);
  alert.link = "demo/\xff";
  EXPECT_EQ(DecodeAlertJson(EncodeJson(alert))->link, "demo/\xef\xbf\xbd");
}

TEST(AlertWireTest, WhatIsNoAlertIsRefused) {
  ExpectRefused(DecodeAlertJson("{"), WireError::kNotOurs);
  ExpectRefused(DecodeAlertJson("[1]"), WireError::kNotOurs);
  ExpectRefused(DecodeAlertJson("{}"), WireError::kUnknownVersion);
  ExpectRefused(DecodeAlertJson(R"({"version": "1"})"), WireError::kUnknownVersion);
  ExpectRefused(DecodeAlertJson(R"({"version": 1})"), WireError::kInconsistent);
  ExpectRefused(DecodeAlertJson(R"({"version": 1, "fingerprint": 3})"), WireError::kInconsistent);
  base::Random random(1);
  std::string text = EncodeJson(support::AnyAlert(random));
  text.replace(text.find("\"state\":\"") + 9, 1, "x");
  ExpectRefused(DecodeAlertJson(text), WireError::kInconsistent);
}

TEST(AlertWireTest, HeadersAreThoseOfCloudEvents) {
  alert::Alert alert{.fingerprint = "f", .link = "demo/a", .started_at = At(0), .made_at = At(0)};
  const auto firing = CloudEventHeaders(alert);
  EXPECT_THAT(firing, Contains(bus::Header{"ce_specversion", "1.0"}));
  EXPECT_THAT(firing, Contains(bus::Header{"ce_id", "f-1700000000000000000-firing"}));
  EXPECT_THAT(firing, Contains(bus::Header{"ce_source", "/flowcast/inference"}));
  EXPECT_THAT(firing, Contains(bus::Header{"ce_type", "io.flowcast.alert.firing"}));
  EXPECT_THAT(firing, Contains(bus::Header{"ce_subject", "demo/a"}));
  EXPECT_THAT(firing, Contains(bus::Header{"ce_time", "2023-11-14T22:13:20Z"}));
  EXPECT_THAT(firing, Contains(bus::Header{"content-type", "application/json"}));
  alert.silenced = true;
  EXPECT_THAT(CloudEventHeaders(alert),
              Contains(bus::Header{"ce_id", "f-1700000000000000000-firing-silenced"}));
  alert.silenced = false;
  alert.state = alert::State::kResolved;
  alert.made_at = At(60);
  EXPECT_THAT(CloudEventHeaders(alert), Contains(bus::Header{"ce_time", "2023-11-14T22:14:20Z"}));
  EXPECT_THAT(CloudEventHeaders(alert), Contains(bus::Header{"ce_id", "f-1700000000000000000-resolved"}));
}

TEST(FeaturesStateWireTest, ProgressComesBackAsItWas) {
  base::Random random(7);
  for (int i = 0; i < kRounds; ++i) {
    const FeaturesProgress progress = support::AnyProgress(random, random.Below(20));
    const auto decoded = DecodeFeaturesProgress(Encode(progress));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, progress);
  }
}

TEST(FeaturesStateWireTest, ASourceWithoutAWatermarkYetIsKeptToo) {
  const FeaturesProgress progress{.next_offset = 3, .before = {{"s", {.epoch = 1}}}};
  EXPECT_EQ(DecodeFeaturesProgress(Encode(progress)).value(), progress);
}

TEST(FeaturesStateWireTest, SnapshotsComeBackAsTheyWere) {
  base::Random random(9);
  for (int i = 0; i < kRounds; ++i) {
    const window::LinkSnapshot snapshot = support::AnySnapshot(random, random.Below(12));
    const auto decoded = DecodeLinkSnapshot(Encode(snapshot));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, snapshot);
  }
}

TEST(FeaturesStateWireTest, WhatContradictsItselfIsRefused) {
  ExpectRefused(DecodeFeaturesProgress(Encode(FeaturesProgress{.next_offset = -1})), WireError::kInconsistent,
                "an offset below 0");
  ExpectRefused(DecodeFeaturesProgress(Encode(FeaturesProgress{.windows_from = 5, .windows_to = 4})),
                WireError::kInconsistent, "windows that end before they begin");
  const FeaturesProgress late{.now = {{"s", {.epoch = 1, .watermark = base::kEndOfTime}}}};
  ExpectRefused(DecodeFeaturesProgress(Encode(late)), WireError::kInconsistent, "a time out of reach");
  const window::LinkSnapshot snapshot{.next_start = base::kEndOfTime};
  ExpectRefused(DecodeLinkSnapshot(Encode(snapshot)), WireError::kInconsistent, "a start out of reach");
  ExpectRefused(DecodeLinkSnapshot(""), WireError::kUnknownVersion, "nothing");
}

TEST(FeaturesStateWireTest, TheNoteOfACommitIsShortAndComesBack) {
  const CommitNote note{142, std::chrono::milliseconds(1700)};
  EXPECT_EQ(DecodeCommitNote(Encode(note)).value(), note);
  EXPECT_EQ(Encode(note), R"({"next_offset":142,"produced_at_ms":1700,"version":2})");
  const CommitNote older{142, {}};
  EXPECT_EQ(DecodeCommitNote(R"({"next_offset":142,"version":2})").value(), older);
  EXPECT_EQ(Encode(older), R"({"next_offset":142,"version":2})");
  for (const char* text : {"", "null", "[]", "{", "x"})
    ExpectRefused(DecodeCommitNote(text), WireError::kNotOurs, text);
  for (const char* text : {"{}", R"({"version": 1, "next_offset": 3})", R"({"version": "2"})"})
    ExpectRefused(DecodeCommitNote(text), WireError::kUnknownVersion, text);
  for (const char* text : {R"({"version": 2})", R"({"version": 2, "next_offset": "1"})",
                           R"({"version": 2, "next_offset": -5})", R"({"version": 2, "next_offset": 1.5})",
                           R"({"version": 2, "next_offset": 1, "produced_at_ms": "x"})"})
    ExpectRefused(DecodeCommitNote(text), WireError::kInconsistent, text);
}

/// Each prefix is refused or taken for a message that can be encoded again.
template <typename Decode>
void ExpectTruncationIsHarmless(const std::string& bytes, const Decode& decode) {
  for (std::size_t length = 0; length < bytes.size(); ++length) decode(bytes.substr(0, length));
}

template <typename Decode, typename EncodeAgain>
void ExpectHarmless(const std::string& bytes, const Decode& decode, const EncodeAgain& encode) {
  ExpectTruncationIsHarmless(bytes, [&](const std::string& prefix) {
    const auto decoded = decode(prefix);
    EXPECT_TRUE(!decoded || decode(encode(*decoded))) << "cut at " << prefix.size();
  });
}

TEST(TruncationTest, CutBytesAreRefusedOrStillConsistent) {
  base::Random random(8);
  for (int i = 0; i < 5; ++i) {
    ExpectHarmless(Encode(support::AnyBatch(random)), DecodePacketBatch,
                   [](const auto& m) { return Encode(m); });
    ExpectHarmless(Encode(support::AnyWindow(random)), DecodeWindow, [](const auto& m) { return Encode(m); });
    ExpectHarmless(Encode(support::AnySequence(random)), DecodeSequence,
                   [](const auto& m) { return Encode(m); });
    ExpectHarmless(Encode(support::AnyForecast(random)), DecodeForecast,
                   [](const auto& m) { return Encode(m); });
    ExpectHarmless(Encode(model_store::Model{support::AnyManifest(random), {{"lstm", "weights"}}}),
                   DecodeModel, [](const auto& m) { return Encode(m); });
    ExpectHarmless(EncodeJson(support::AnyAlert(random)), DecodeAlertJson,
                   [](const auto& m) { return EncodeJson(m); });
    ExpectHarmless(Encode(support::AnyProgress(random, 3)), DecodeFeaturesProgress,
                   [](const auto& m) { return Encode(m); });
    ExpectHarmless(Encode(support::AnySnapshot(random, 2)), DecodeLinkSnapshot,
                   [](const auto& m) { return Encode(m); });
  }
}

}  // namespace
}  // namespace flowcast::wire
