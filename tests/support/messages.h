// Seeded random content of every message.
#pragma once

#include <string>

#include "libs/base/random.h"
#include "libs/feature/window.h"
#include "libs/model_store/model_folder.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/forecast_wire.h"
#include "tests/support/any_batch.h"
#include "tests/support/stream.h"

namespace flowcast::support {

inline feature::Window AnyWindow(base::Random& random) {
  feature::Window window{.link = AnyText(random),
                         .start = AnyTime(random),
                         .length = base::Duration(1 + static_cast<std::int64_t>(random.Below(1u << 30))),
                         .schema_hash = random.Next(),
                         .partial = random.Below(2) == 0,
                         .packets = random.Next(),
                         .bytes = random.Next(),
                         .late_packets = random.Next(),
                         .approximate = static_cast<std::uint32_t>(random.Below(8))};
  window.features.resize(feature::kFeatureCount);
  for (double& value : window.features) value = 1e6 * random.Normal();
  return window;
}

inline feature::Sequence AnySequence(base::Random& random) {
  feature::Sequence sequence{.link = AnyText(random),
                             .end = AnyTime(random),
                             .window_length = std::chrono::seconds(5),
                             .schema_hash = random.Next(),
                             .length = 1 + static_cast<std::uint32_t>(random.Below(4))};
  for (std::size_t i = 0; i < feature::kFeatureCount; ++i) {
    sequence.centre.push_back(random.Normal());
    sequence.scale.push_back(0.01 + random.Uniform());
    sequence.last.push_back(1e3 * random.Normal());
  }
  for (std::size_t i = 0; i < sequence.length * feature::kFeatureCount; ++i) {
    sequence.values.push_back(static_cast<float>(random.Normal()));
  }
  for (std::uint64_t left = random.Below(4); left > 0; --left) {
    sequence.usual.push_back(
        {100 * random.Uniform(), 1e5 * random.Uniform(), static_cast<std::uint32_t>(random.Below(9))});
  }
  return sequence;
}

inline wire::ForecastRecord AnyForecast(base::Random& random) {
  wire::ForecastRecord record;
  record.forecast = {.link = AnyText(random),
                     .made_at = AnyTime(random),
                     .window_length = std::chrono::seconds(5),
                     .target = AnyText(random),
                     .last_actual = random.Normal(),
                     .record = {random.Next(), random.Normal(), random.Normal(), random.Uniform()},
                     .quality = static_cast<forecast::Quality>(random.Below(4)),
                     .model_version = AnyText(random)};
  for (std::uint64_t left = 1 + random.Below(3); left > 0; --left) {
    forecast::HorizonForecast horizon{.horizon_windows = static_cast<int>(random.Below(9)),
                                      .target_start = AnyTime(random)};
    for (std::size_t i = 0; i < forecast::kQuantileCount; ++i) horizon.quantiles.push_back(random.Uniform());
    horizon.experts.push_back({AnyText(random), random.Normal(), random.Uniform()});
    record.forecast.horizons.push_back(horizon);
  }
  for (std::uint64_t left = random.Below(3); left > 0; --left) {
    record.settled.push_back({.target_start = AnyTime(random),
                              .actual = random.Normal(),
                              .median = random.Normal(),
                              .low = random.Normal(),
                              .high = random.Normal(),
                              .persistence = random.Normal(),
                              .had_model = random.Below(2) == 0,
                              .horizon_windows = static_cast<int>(random.Below(9))});
  }
  return record;
}

inline model_store::Manifest AnyManifest(base::Random& random) {
  model_store::Manifest manifest{
      .name = "default",
      .version = std::string("v").append(std::to_string(random.Below(1000))),
      .created_at = AnyText(random),
      .flowcast_version = AnyText(random),
      .schema_hash = random.Next(),
      .features = {AnyText(random), AnyText(random)},
      .target = "packets",
      .horizon_windows = static_cast<int>(random.Below(20)),
      .horizons = {1, static_cast<int>(2 + random.Below(20))},
      .window_length = base::Duration(static_cast<std::int64_t>(random.Below(1u << 30))),
      .sequence_length = 10,
      .layers = 2,
      .hidden = 32,
      .dropout = random.Uniform(),
      .head_size = static_cast<std::int64_t>(random.Below(100)),
      .attention = random.Below(2) == 0,
      .members = static_cast<int>(1 + random.Below(5)),
      .seed = random.Next(),
      .trained_from = AnyTime(random),
      .trained_until = AnyTime(random),
      .training_examples = random.Next(),
      .validation_examples = random.Next(),
      .forecasters = {{.name = "lstm",
                       .parameters = 12345,
                       .best_epoch = 3,
                       .seconds = random.Uniform(),
                       .history = {{0, random.Normal(), random.Normal(), 0.5}, {1, 0.25, 0.125, 1.5}},
                       .metrics = {{1, {.count = 3, .mae = random.Uniform(), .skill = 0.5}}, {2, {}}}},
                      {.name = "xgboost", .parameters = 7, .history = {}, .metrics = {}}},
      .decision = {.trained_for = "schedule",
                   .replaced = random.Below(2) == 0,
                   .reason = AnyText(random),
                   .against = AnyText(random),
                   .examples = random.Next(),
                   .from = AnyTime(random),
                   .until = AnyTime(random),
                   .error = random.Uniform(),
                   .error_before = random.Uniform(),
                   .by_target = {{"packets", {random.Uniform(), random.Uniform()}}},
                   .seen_before = random.Below(2) == 0},
      .percentiles = {{"", {{"p50", 1.5}, {"p95", 2}}}, {AnyText(random) + "x", {{"p99", 7}}}},
      .further = {{.name = "jitter",
                   .metrics = {.count = 9, .mae = random.Uniform()},
                   .forecasters = {{"lstm", {{1, {.count = 3, .mae = random.Uniform()}}}}},
                   .percentiles = {{"", {{"p95", random.Uniform()}}}}}}};
  manifest.metrics = {.count = 9, .mse = random.Uniform(), .mae = 2, .rmse = 3, .mae_persistence = 4};
  if (random.Below(2) == 0) manifest.metrics.skill = random.Normal();
  return manifest;
}

inline window::Progress AnySources(base::Random& random, std::uint64_t count) {
  window::Progress progress;
  for (std::uint64_t i = 0; i < count; ++i) {
    progress[AnyText(random) + std::to_string(i)] = {.epoch = random.Next(),
                                                     .content = random.Next(),
                                                     .next_sequence = random.Next(),
                                                     .started = AnyTime(random),
                                                     .watermark = AnyTime(random),
                                                     .closed_to = AnyTime(random),
                                                     .ending = random.Below(2) == 0,
                                                     .final = random.Below(2) == 0};
  }
  return progress;
}

inline wire::FeaturesProgress AnyProgress(base::Random& random, std::uint64_t sources) {
  const auto offset = [&random] { return static_cast<std::int64_t>(random.Below(std::uint64_t{1} << 60)); };
  const std::int64_t from = offset();
  return {.next_offset = offset(),
          .before = AnySources(random, sources),
          .now = AnySources(random, sources),
          .windows_from = from,
          .windows_to = from + static_cast<std::int64_t>(random.Below(1000)),
          .owed = random.Below(1000),
          .last = {"one/link", base::FromUnixNanoseconds(
                                   static_cast<std::int64_t>(random.Below(std::uint64_t{1} << 60)))}};
}

inline window::LinkSnapshot AnySnapshot(base::Random& random, std::uint64_t windows) {
  window::LinkSnapshot snapshot{
      .source = AnyText(random), .next_start = AnyTime(random), .idle_since = AnyTime(random)};
  for (std::uint64_t i = 0; i < windows; ++i) snapshot.windows.push_back(AnyWindow(random));
  snapshot.ended = random.Below(2) == 0;
  auto& profile = snapshot.profile;
  for (std::uint16_t number = 0; number < 192; ++number) {
    if (random.Below(3) != 0) continue;
    const auto days = static_cast<std::uint16_t>(1 + random.Below(1000));
    profile.quarters.push_back({number, days, {static_cast<float>(random.Below(20)), 0.5F}});
  }
  profile.open = {static_cast<std::int64_t>(random.Below(2'000'000)), 3, {1.5, 2.5}};
  return snapshot;
}

}  // namespace flowcast::support
