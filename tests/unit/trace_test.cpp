// The names that follow a window, and that every stage says the same one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libs/trace/trace.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_json.h"
#include "libs/wire/window_json.h"

namespace flowcast::trace {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Contains;
using testing::MatchesRegex;

const base::EventTime kStart = base::FromUnixNanoseconds(1'795'254'374'000'000'000);
// By another implementation of FNV-1a.
constexpr const char* kId = "67d007b46cd7d366ecdbd46445b9331b";

TEST(TraceTest, TheIdIsAHashOfLinkStartAndLength) { EXPECT_EQ(IdOf("demo/lab", kStart, 1s), kId); }

TEST(TraceTest, WhatIsToldAtTheEndOfAWindowHasTheIdOfTheWindow) {
  EXPECT_EQ(IdOfEnd("demo/lab", kStart + 1s, 1s), kId);
}

TEST(TraceTest, OtherLinksStartsAndLengthsHaveOtherIds) {
  EXPECT_NE(IdOf("demo/office", kStart, 1s), kId);
  EXPECT_NE(IdOf("demo/lab", kStart + 1ns, 1s), kId);
  EXPECT_NE(IdOf("demo/lab", kStart, 2s), kId);
}

TEST(TraceTest, TheParentIsOfTheW3CsFormAndTellsEventsApart) {
  const std::string parent = Parent(kId, "event");
  EXPECT_EQ(parent, std::string("00-") + kId + "-112b8c0079b0649f-01");
  EXPECT_NE(Parent(kId, "another"), parent);
  EXPECT_EQ(Parent(kId, "event"), parent);
}

TEST(TraceTest, ABatchIsNamedByItsSourceEpochPartitionAndFirstPacket) {
  EXPECT_EQ(BatchName("demo", 17, 2, 8192), "demo/17/2/8192");
}

TEST(TraceTest, WindowForecastAndAlertSayTheSame) {
  feature::Window window;
  window.link = "demo/lab";
  window.start = kStart;
  window.length = 1s;
  EXPECT_EQ(json::parse(wire::EncodeJson(window, {}))["trace_id"], kId);

  wire::ForecastRecord record;
  record.forecast.link = "demo/lab";
  record.forecast.made_at = kStart + 1s;
  record.forecast.window_length = 1s;
  EXPECT_EQ(json::parse(wire::EncodeJson(record))["trace_id"], kId);

  alert::Alert alert;
  alert.link = "demo/lab";
  alert.made_at = kStart + 1s;
  alert.window_length = 1s;
  EXPECT_EQ(json::parse(wire::EncodeJson(alert))["trace_id"], kId);
  EXPECT_THAT(
      wire::CloudEventHeaders(alert),
      Contains(testing::AllOf(
          testing::Field(&bus::Header::name, "ce_traceparent"),
          testing::Field(&bus::Header::value, MatchesRegex(std::string("00-") + kId + "-[0-9a-f]+-01")))));
}

TEST(TraceTest, AResendOfAnAlertHasTheSameParentAndAnotherStateAnother) {
  alert::Alert alert;
  alert.link = "demo/lab";
  alert.made_at = kStart + 1s;
  alert.window_length = 1s;
  const auto fired = wire::CloudEventHeaders(alert);
  EXPECT_EQ(wire::CloudEventHeaders(alert), fired);
  alert.state = alert::State::kResolved;
  EXPECT_THAT(wire::CloudEventHeaders(alert),
              testing::Not(Contains(*std::find_if(fired.begin(), fired.end(), [](const bus::Header& header) {
                return header.name == "ce_traceparent";
              }))));
}

}  // namespace
}  // namespace flowcast::trace
