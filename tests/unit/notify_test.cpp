// What is sent about an alert, to whom, and what an answer means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libs/base/error.h"
#include "libs/notify/address.h"
#include "libs/notify/http_senders.h"
#include "libs/notify/payload.h"
#include "libs/notify/selection.h"
#include "libs/notify/syslog_message.h"
#include "libs/notify/syslog_sender.h"
#include "libs/trace/trace.h"
#include "tests/support/fired_alerts.h"

namespace flowcast::notify {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using support::FiringAlert;
using support::ResolvedAlert;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(SelectionTest, FiringAndResolvedAlertsAreSentAndPendingOnesNot) {
  alert::Alert pending = FiringAlert();
  pending.state = alert::State::kPending;
  pending.fired_at.reset();
  alert::Alert never_fired = ResolvedAlert();
  never_fired.fired_at.reset();
  EXPECT_EQ(Choose(FiringAlert(), {}), Choice::kSend);
  EXPECT_EQ(Choose(ResolvedAlert(), {}), Choice::kSend);
  EXPECT_EQ(Choose(pending, {}), Choice::kPending);
  EXPECT_EQ(Choose(never_fired, {}), Choice::kPending) << "nobody was told that it fired";
}

TEST(SelectionTest, SilencedAlertsAreSentWhenAskedFor) {
  alert::Alert silenced = FiringAlert();
  silenced.silenced = true;
  EXPECT_EQ(Choose(silenced, {}), Choice::kSilenced);
  EXPECT_EQ(Choose(silenced, {.silenced = true}), Choice::kSend);
}

TEST(SelectionTest, LowSeveritiesAreLeftOutAndUnknownOnesNever) {
  alert::Alert alert = FiringAlert();
  EXPECT_EQ(Choose(alert, {.severity = "warning"}), Choice::kSend);
  EXPECT_EQ(Choose(alert, {.severity = "error"}), Choice::kBelow);
  alert.severity = "page";
  EXPECT_EQ(Choose(alert, {.severity = "critical"}), Choice::kSend);
}

TEST(PayloadTest, AWebhookIsPostedWhatAlertmanagerWouldPost) {
  alert::Alert alert = FiringAlert();
  alert.labels = {{"team", "core"}, {"site-name", "lab"}, {"severity", "mine"}, {"empty", ""}};
  alert.runbook = "https://wiki/load";
  const json body = json::parse(WebhookBody(alert));
  EXPECT_EQ(body["version"], "4");
  EXPECT_EQ(body["status"], "firing");
  EXPECT_EQ(body["groupKey"], R"({}:{alertname="load", link="demo/lab", target="packets"})");
  EXPECT_EQ(body["truncatedAlerts"], 0);
  ASSERT_THAT(body["alerts"], SizeIs(1));
  const json& one = body["alerts"][0];
  EXPECT_EQ(one["status"], "firing");
  EXPECT_EQ(one["labels"], json({{"alertname", "load"},
                                 {"link", "demo/lab"},
                                 {"target", "packets"},
                                 {"severity", "warning"},
                                 {"kind", "load"},
                                 {"team", "core"},
                                 {"site_name", "lab"}}));
  EXPECT_EQ(one["startsAt"], "2026-11-21T09:46:15Z");
  EXPECT_EQ(one["endsAt"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(one["fingerprint"], alert.fingerprint);
  EXPECT_EQ(one["annotations"]["summary"], alert.summary);
  EXPECT_EQ(one["annotations"]["runbook_url"], "https://wiki/load");
  EXPECT_EQ(one["annotations"]["probability"], "0.8056");
  EXPECT_EQ(one["annotations"]["lead_s"], "1");
  EXPECT_EQ(one["annotations"]["trace_id"], trace::IdOfEnd(alert.link, alert.made_at, alert.window_length));
  EXPECT_EQ(body["commonLabels"], one["labels"]);
}

TEST(PayloadTest, AResolvedAlertSaysWhenAndWhy) {
  const json body = json::parse(WebhookBody(ResolvedAlert()));
  EXPECT_EQ(body["status"], "resolved");
  EXPECT_EQ(body["alerts"][0]["status"], "resolved");
  EXPECT_EQ(body["alerts"][0]["endsAt"], "2026-11-21T09:46:45Z");
  EXPECT_EQ(body["alerts"][0]["annotations"]["reason"], "cleared");
}

TEST(PayloadTest, AlertmanagerIsToldOfAnEndOnlyWhenThereIsOneAndNeverOfOneToCome) {
  const std::vector<alert::Alert> alerts{FiringAlert(), ResolvedAlert()};
  const base::EventTime later = ResolvedAlert().resolved_at + 1h;
  const json list = json::parse(AlertmanagerBody(alerts, later));
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_FALSE(list[0].contains("endsAt"));
  EXPECT_EQ(list[0]["labels"], list[1]["labels"]) << "they tell which alert it is";
  EXPECT_EQ(list[1]["endsAt"], "2026-11-21T09:46:45Z");
  const json early = json::parse(AlertmanagerBody(alerts, ResolvedAlert().resolved_at - 10s));
  EXPECT_EQ(early[1]["endsAt"], "2026-11-21T09:46:35Z");
  const json earlier = json::parse(AlertmanagerBody(alerts, *FiringAlert().fired_at - 1h));
  EXPECT_EQ(earlier[1]["startsAt"], earlier[1]["endsAt"]);
}

TEST(PayloadTest, NamesThatAreNoUtf8AreStillJson) {
  alert::Alert alert = FiringAlert();
  alert.link = "a\xff\"\n";
  EXPECT_EQ(json::parse(WebhookBody(alert))["alerts"][0]["labels"]["link"], "a\xEF\xBF\xBD\"\n");
  EXPECT_NO_THROW(json::parse(AlertmanagerBody({&alert, 1}, *alert.fired_at)));
}

TEST(OutcomeTest, StatusCodesAreTakenRefusedOrTriedAgain) {
  const auto kind = [](int status) { return JudgeStatus(status, "", {}).kind; };
  for (const int status : {200, 202, 204}) EXPECT_EQ(kind(status), Outcome::Kind::kTaken) << status;
  for (const int status : {408, 429, 500, 503, 599}) EXPECT_EQ(kind(status), Outcome::Kind::kRetry) << status;
  for (const int status : {301, 400, 401, 404, 410, 422})
    EXPECT_EQ(kind(status), Outcome::Kind::kRefused) << status;
}

TEST(OutcomeTest, RetryAfterIsSecondsOrADateAndBounded) {
  const auto now = base::FromUnixNanoseconds(1'795'254'375'000'000'000);
  const auto wish = [now](const std::string& text) { return JudgeStatus(503, text, now).retry_after; };
  EXPECT_EQ(wish("120"), 120s);
  EXPECT_EQ(wish("Sat, 21 Nov 2026 09:47:15 GMT"), 60s);
  EXPECT_EQ(wish("Sat, 21 Nov 2026 09:00:00 GMT"), 0s) << "it is past";
  EXPECT_EQ(wish("99999999999999999999"), kLongestRetryAfter);
  EXPECT_EQ(wish("86400"), kLongestRetryAfter);
  for (const char* text :
       {"", "-1", "soon", "Sat, 99 Nov 2026 09:47:15 GMT", "Sat, 21 Foo 2026 09:47:15 GMT"})
    EXPECT_EQ(wish(text), std::nullopt) << text;
  EXPECT_EQ(JudgeStatus(404, "120", now).retry_after, std::nullopt);
}

TEST(AddressTest, UrlsAreServerAndPath) {
  EXPECT_EQ(ParseHttpAddress("--webhook", "http://host"), (HttpAddress{"http://host", "/"}));
  EXPECT_EQ(ParseHttpAddress("--webhook", "https://h.example:8443/a/b?c=d#e"),
            (HttpAddress{"https://h.example:8443", "/a/b?c=d"}));
  EXPECT_EQ(ParseHttpAddress("--webhook", "http://[::1]:9093?x"), (HttpAddress{"http://[::1]:9093", "/?x"}));
  for (const char* text :
       {"", "host", "ftp://host", "http://", "http://a:b@host", "http://host:0", "http://host:99999",
        "http://host:1x", "http://[::1", "http://h\n/", "http://host/a b"}) {
    EXPECT_THROW(ParseHttpAddress("--webhook", text), base::ConfigError) << text;
  }
}

TEST(AddressTest, SyslogServersHaveADefaultPort) {
  EXPECT_EQ(ParseSyslogAddress("udp://loghost"), (SyslogAddress{false, "loghost", 514}));
  EXPECT_EQ(ParseSyslogAddress("tcp://[::1]:6514"), (SyslogAddress{true, "::1", 6514}));
  EXPECT_EQ(ParseSyslogAddress("tcp://10.0.0.1"), (SyslogAddress{true, "10.0.0.1", 601}));
  for (const char* text : {"", "loghost", "udp://", "tls://h:1", "udp://h:1/x"})
    EXPECT_THROW(ParseSyslogAddress(text), base::ConfigError) << text;
}

TEST(SyslogTest, AnAlertIsOneMessageOfRfc5424) {
  alert::Alert alert = FiringAlert();
  alert.link = "demo/\"a]\\\n";
  EXPECT_EQ(SyslogMessage(alert, "my host", 16),
            "<132>1 2026-11-21T09:46:15Z my_host flowcast - firing [flowcast@32473 "
            "fingerprint=\"22c0fa56215f0d55\" rule=\"load\" link=\"demo/\\\"a\\]\\\\ \" severity=\"warning\" "
            "kind=\"load\" target=\"packets\" threshold=\"340\" predicted=\"358.608\" probability=\"0.8056\" "
            "lead_s=\"1\" started_at=\"2026-11-21T09:46:13Z\"] demo/lab will pass 340 packets");
  EXPECT_THAT(SyslogMessage(ResolvedAlert(), "", 3),
              HasSubstr("<29>1 2026-11-21T09:46:45Z - flowcast - resolved"));
  alert.severity = "critical";
  alert.made_at += 123'456'789ns;
  EXPECT_THAT(SyslogMessage(alert, "h", 16), HasSubstr("<130>1 2026-11-21T09:46:15.123456Z "));
}

TEST(SyslogTest, WhatSteersATerminalIsNotPassedOn) {
  alert::Alert alert = FiringAlert();
  alert.link =
      "a\x1b[2J\xc2\x9b"
      "31m";
  alert.summary = "b\x1b]0;c\xe2\x80\xae";
  const std::string message = SyslogMessage(alert, "h", 16);
  EXPECT_THAT(message, AllOf(HasSubstr("link=\"a [2J?31m\""), HasSubstr("b ]0;c?")));
}

TEST(SyslogTest, LongMessagesLoseTheirEndBetweenCharacters) {
  alert::Alert alert = FiringAlert();
  for (int i = 0; i < 2000; ++i) alert.summary += "ä";
  for (int i = 0; i < 2; ++i, alert.summary.insert(0, "x")) {
    const std::string message = SyslogMessage(alert, "h", 16);
    EXPECT_LE(message.size(), kMostSyslogBytes);
    EXPECT_GE(message.size(), kMostSyslogBytes - 1);
    EXPECT_EQ(message.substr(message.size() - 2), "ä");
    EXPECT_THAT(message, HasSubstr("] \xEF\xBB\xBF")) << "it says that it is UTF-8";
  }
}

struct FakePipe : Pipe {
  std::string Write(const std::string& bytes) override {
    written.push_back(bytes);
    return error;
  }
  std::vector<std::string> written;
  std::string error;
};

TEST(SyslogTest, OctetsAreCountedOnStreamsOnly) {
  FakePipe pipe;
  const alert::Alert alert = FiringAlert();
  const std::string message = SyslogMessage(alert, "h", 16);
  EXPECT_EQ(SyslogSender(pipe, {.host = "h"}).Send({&alert, 1}).kind, Outcome::Kind::kTaken);
  EXPECT_EQ(SyslogSender(pipe, {.host = "h", .count_octets = true}).Send({&alert, 1}).kind,
            Outcome::Kind::kTaken);
  EXPECT_THAT(pipe.written, ElementsAre(message, std::to_string(message.size()) + " " + message));
  pipe.error = "nobody there";
  const Outcome failed = SyslogSender(pipe, {}).Send({&alert, 1});
  EXPECT_EQ(failed.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(failed.reason, "nobody there");
}

struct FakePoster : HttpPoster {
  HttpAnswer Post(const HttpRequest& request) override {
    requests.push_back(request);
    return answer;
  }
  std::vector<HttpRequest> requests;
  HttpAnswer answer{.status = 200};
};

TEST(HttpSenderTest, AWebhookIsSignedWithTheTime) {
  base::ManualClock clock;
  FakePoster poster;
  const alert::Alert alert = FiringAlert();
  const auto sign = [](const std::string& text) { return "<" + text.substr(0, 12) + ">"; };
  EXPECT_EQ(WebhookSender(poster, "/hook?x", sign, clock).Send({&alert, 1}).kind, Outcome::Kind::kTaken);
  ASSERT_THAT(poster.requests, SizeIs(1));
  EXPECT_EQ(poster.requests[0].path, "/hook?x");
  EXPECT_EQ(poster.requests[0].body, WebhookBody(alert));
  EXPECT_THAT(
      poster.requests[0].headers,
      testing::IsSupersetOf({std::pair<std::string, std::string>{"X-Flowcast-Timestamp", "1700000000"},
                             {"X-Flowcast-Signature", "sha256=<1700000000.{>"}}));
  WebhookSender(poster, "/", {}, clock).Send({&alert, 1});
  EXPECT_THAT(poster.requests[1].headers, SizeIs(1)) << "User-Agent alone";
}

TEST(HttpSenderTest, NoAnswerIsTriedAgain) {
  base::ManualClock clock;
  FakePoster poster;
  poster.answer = {.error = "can't connect"};
  const alert::Alert alert = FiringAlert();
  const Outcome outcome = AlertmanagerSender(poster, "/am/", clock).Send({&alert, 1});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.reason, "can't connect");
  EXPECT_EQ(poster.requests[0].path, "/am/api/v2/alerts");
  poster.answer = {.status = 503, .retry_after = "7"};
  EXPECT_EQ(AlertmanagerSender(poster, "", clock).Send({&alert, 1}).retry_after, 7s);
}

}  // namespace
}  // namespace flowcast::notify
