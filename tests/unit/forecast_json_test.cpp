// Forecasts as JSON: that it says what the protobuf record says, and skill besides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libs/wire/forecast_json.h"

namespace flowcast::wire {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

ForecastRecord AnyRecord() {
  const auto at = base::FromUnixNanoseconds(1'700'000'000'000'000'001);
  ForecastRecord record;
  record.forecast = {.link = "demo/lab",
                     .made_at = at,
                     .window_length = 5s,
                     .target = "packets",
                     .last_actual = 0.1 + 0.2,
                     .horizons = {{.horizon_windows = 2,
                                   .target_start = at + 5s,
                                   .quantiles = {1, 2, 3, 4, 5, 6, 7},
                                   .experts = {{"persistence", 4.5, 0.75}, {"lstm", 1.0 / 3, 0.25}},
                                   .record = {7, 3, 4, 0.875}}},
                     .record = {7, 3, 4, 0.875},
                     .quality = forecast::Quality::kGood,
                     .model_version = "v1"};
  record.settled.push_back({.target_start = at - 5s,
                            .actual = 10,
                            .median = 11,
                            .low = 8,
                            .high = 14,
                            .persistence = 9,
                            .had_model = true,
                            .horizon_windows = 1});
  return record;
}

TEST(ForecastJsonTest, SaysWhatTheRecordSays) {
  const json read = json::parse(EncodeJson(AnyRecord()));
  EXPECT_EQ(read["version"], 1);
  EXPECT_EQ(read["link"], "demo/lab");
  EXPECT_EQ(read["made_at"], "2023-11-14T22:13:20.000000001Z");
  EXPECT_EQ(read["made_at_ns"], 1'700'000'000'000'000'001);
  EXPECT_EQ(read["window_ns"], 5'000'000'000);
  EXPECT_EQ(read["last_actual"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(read["quality"], "good");
  EXPECT_EQ(read["model_version"], "v1");
  const json& horizon = read["horizons"].at(0);
  EXPECT_EQ(horizon["windows"], 2);
  EXPECT_EQ(horizon["target_start_ns"], 1'700'000'005'000'000'001);
  EXPECT_EQ(horizon["levels"].size(), horizon["quantiles"].size());
  EXPECT_EQ(horizon["quantiles"].at(3), 4);
  EXPECT_EQ(horizon["experts"].at(1), json({{"name", "lstm"}, {"value", 1.0 / 3}, {"weight", 0.25}}));
  EXPECT_EQ(read["settled"].at(0)["had_model"], true);
  EXPECT_EQ(read["settled"].at(0)["persistence"], 9);
}

TEST(ForecastJsonTest, HasTheSkillThatTheRecordOnlyImplies) {
  ForecastRecord record = AnyRecord();
  EXPECT_EQ(json::parse(EncodeJson(record))["record"]["skill"], 0.25);
  EXPECT_EQ(json::parse(EncodeJson(record))["horizons"].at(0)["record"]["skill"], 0.25);
  record.forecast.record = {};
  EXPECT_TRUE(json::parse(EncodeJson(record))["record"]["skill"].is_null()) << "not known yet";
}

TEST(ForecastJsonTest, IsJsonWhateverTheLinkIsCalled) {
  ForecastRecord record = AnyRecord();
  record.forecast.link = "a\"\xff\n";
  EXPECT_EQ(json::parse(EncodeJson(record))["link"], "a\"\xEF\xBF\xBD\n");
}

}  // namespace
}  // namespace flowcast::wire
