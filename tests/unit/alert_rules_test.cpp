// Rules on the forecasts of a link: what they ask, what they say, and when they are silent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/alert/link_alerts.h"
#include "libs/base/error.h"
#include "tests/support/stream.h"

namespace flowcast::alert {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// Rules on one link, window by window.
class RulesTest : public testing::Test {
 protected:
  void Use(std::vector<Rule> rules) { rules_ = RuleSet(std::move(rules), capacities_); }
  /// The next window had `actual`; forecast is `median`, the outermost quantiles 30 % off.
  std::vector<Alert> Window(double median, double actual = 80) {
    ++number_;
    std::vector<Alert> changes;
    alerts_.Evaluate(Forecast({median, median * far_}, actual), rules_, percentiles_, changes);
    return changes;
  }
  /// The only change that this window brings.
  Alert Only(double median, double actual = 80) {
    const auto changes = Window(median, actual);
    EXPECT_THAT(changes, SizeIs(1));
    return changes.empty() ? Alert{} : changes.front();
  }
  forecast::Forecast Forecast(const std::vector<double>& medians, double actual) const {
    forecast::Forecast forecast{.link = link_,
                                .made_at = At(5 * number_),
                                .window_length = 5s,
                                .target = target_,
                                .last_actual = actual,
                                .quality = quality_,
                                .model_version = "v1"};
    int windows = 1;
    for (const double median : medians) {
      forecast.horizons.push_back({.horizon_windows = windows,
                                   .target_start = At(5 * (number_ + windows - 1)),
                                   .quantiles = {median * 0.7, median * 0.8, median * 0.9, median,
                                                 median * 1.1, median * 1.2, median * 1.3}});
      windows += 5;
    }
    return forecast;
  }

  std::string link_ = "demo/a";
  std::string target_ = "packets";
  forecast::Quality quality_ = forecast::Quality::kGood;
  double far_ = 1;  // the far horizon's share of the near one
  int number_ = 0;
  Capacities capacities_;
  PercentilesByLink percentiles_;
  RuleSet rules_ = BuiltInRules({});
  LinkAlerts alerts_;
};

TEST(BuiltInRules, WatchLinksWithoutACapacityForPackets) {
  Capacities capacities;
  for (const char* text : {"lab/a=1G", "wan/*=100M"}) AddCapacity(text, capacities);
  const RuleSet rules = BuiltInRules({.threshold = Threshold::Parse("80%"),
                                      .target = "bytes",
                                      .capacities = capacities,
                                      .packets_elsewhere = Threshold::Parse("100")});
  std::vector<std::string> found;
  for (const char* link : {"lab/a", "lab/b", "wan/c"}) {
    for (const Rule& rule : rules.rules()) {
      if (rules.Applies(rule, link)) found.push_back(std::string(link) + ' ' + rule.name + ' ' + rule.target);
    }
  }
  EXPECT_THAT(found, ElementsAre("lab/a load bytes", "lab/b packets packets", "wan/c load bytes"));
}

TEST_F(RulesTest, TheBuiltInRuleIsRaisedOnceAndResolvedOnce) {
  EXPECT_THAT(Window(90), IsEmpty());
  EXPECT_THAT(Window(100), IsEmpty()) << "the threshold itself is no excess";
  const Alert fired = Only(120);
  EXPECT_EQ(fired.state, State::kFiring);
  EXPECT_EQ(fired.rule, "load");
  EXPECT_EQ(fired.fired_at, At(15));
  EXPECT_THAT(Window(150), IsEmpty());
  EXPECT_THAT(Window(95), IsEmpty()) << "not below 0.9 of the threshold";
  const Alert resolved = Only(50);
  EXPECT_EQ(resolved.state, State::kResolved);
  EXPECT_EQ(resolved.started_at, fired.started_at);
  EXPECT_EQ(resolved.resolved_at, At(30));
  EXPECT_EQ(resolved.reason, Reason::kCleared);
  EXPECT_EQ(resolved.fingerprint, fired.fingerprint);
  EXPECT_THAT(Window(40), IsEmpty());
  EXPECT_EQ(Only(101).started_at, At(40)) << "a new condition";
}

TEST_F(RulesTest, AnAlertSaysWhatIsExpectedWhenAndHowSure) {
  Use({{.threshold = {.value = 100},
        .severity = "critical",
        .labels = {{"team", "net"}},
        .runbook = "https://x"}});
  const Alert alert = Only(120);
  EXPECT_EQ(alert.link, "demo/a");
  EXPECT_EQ(alert.kind, Kind::kLoad);
  EXPECT_EQ(alert.threshold, 100);
  EXPECT_EQ(alert.predicted, 120);
  EXPECT_EQ(alert.low, 84);
  EXPECT_EQ(alert.high, 156);
  EXPECT_GT(alert.probability, 0.5);
  EXPECT_EQ(alert.last_actual, 80);
  EXPECT_EQ(alert.quality, "good");
  EXPECT_EQ(alert.made_at, At(5));
  EXPECT_EQ(LeadSeconds(alert), 5);
  EXPECT_EQ(alert.severity, "critical");
  EXPECT_EQ(alert.labels.at("team"), "net");
  EXPECT_EQ(alert.runbook, "https://x");
  ASSERT_THAT(alert.forecasts, SizeIs(2));
  EXPECT_EQ(alert.forecasts[1].horizon_windows, 6);
  EXPECT_THAT(alert.forecasts[1].quantiles, SizeIs(forecast::kQuantileCount));
  EXPECT_EQ(alert.summary, "demo/a will pass 100 packets per 5s in 5 s, P = 0.85: 120 expected (84 to 156)");
  EXPECT_EQ(alert.fingerprint, "168e4ed67f2e1ef1");
}

TEST_F(RulesTest, AShareOfTheCapacityIsSpokenOfAsOne) {
  target_ = "bytes";
  capacities_.Set("demo/*", 1e9);
  Use({{.target = "bytes", .horizon = 6, .threshold = Threshold::Parse("80%")}});
  const Alert alert = Only(0.85e9 / 8 * 5, 1e6);
  EXPECT_THAT(alert.summary,
              StartsWith("demo/a will pass 80 % of 1 Gbit/s in 30 s, P = 0.65: 850 Mbit/s expected"));
  EXPECT_EQ(alert.capacity_bps, 1e9);
  EXPECT_EQ(Only(0.5e9 / 8 * 5).summary,
            "demo/a is expected back at 500 Mbit/s, it had been about to pass 80 % of 1 Gbit/s");
}

TEST_F(RulesTest, RulesWatchTheLinksThatTheyNameButThoseThatTheyExcept) {
  Use({{.name = "a", .links = {"demo/*", "lab/*"}, .except = {"*/b"}}, {.name = "b", .links = {"*/[bc]"}}});
  const auto names = [this](const std::string& link) {
    link_ = link;
    alerts_ = {};
    std::vector<std::string> raised;
    for (const Alert& alert : Window(500)) raised.push_back(alert.rule);
    return raised;
  };
  EXPECT_THAT(names("demo/a"), ElementsAre("a"));
  EXPECT_THAT(names("demo/b"), ElementsAre("b"));
  EXPECT_THAT(names("lab/c"), ElementsAre("a", "b"));
  EXPECT_THAT(names("lib/d"), IsEmpty());
}

TEST_F(RulesTest, AQuantileOrAProbabilityMayBeAsked) {
  Rule quantile{.name = "q"}, probability{.name = "p"};
  quantile.on = Measure::Parse("quantile 0.9");
  probability.on = Measure::Parse("probability > 0.8");
  Use({quantile, probability});
  EXPECT_THAT(Window(80), IsEmpty());
  EXPECT_EQ(Only(90).rule, "q") << "1.2 x 90 is above 100";
  const Alert sure = Only(120);
  EXPECT_EQ(sure.rule, "p");
  EXPECT_GT(sure.probability, 0.8);
  EXPECT_THAT(Window(113), IsEmpty()) << "P is between 0.72 and 0.8";
  EXPECT_EQ(Only(100).rule, "p");
  EXPECT_EQ(Only(74).rule, "q");
}

TEST_F(RulesTest, AnyHorizonMayRaiseAndAllMustClear) {
  Use({{.horizon = Rule::kAny}});
  far_ = 2;
  const Alert fired = Only(60);
  EXPECT_EQ(fired.horizon_windows, 6);
  EXPECT_EQ(LeadSeconds(fired), 30);
  EXPECT_THAT(Window(46), IsEmpty()) << "the far one is at 92";
  EXPECT_EQ(Only(44).state, State::kResolved);
}

TEST_F(RulesTest, AHorizonThatIsNotForecastRaisesNothing) {
  Use({{.horizon = 3}});
  EXPECT_THAT(Window(500), IsEmpty());
}

TEST_F(RulesTest, PendingUntilItHoldsOftenEnoughOrNotAnyMore) {
  Use({{.terms = {.needed = 2, .of = 3}}});
  const Alert pending = Only(120);
  EXPECT_EQ(pending.state, State::kPending);
  EXPECT_EQ(pending.fired_at, std::nullopt);
  EXPECT_THAT(pending.summary, StartsWith("demo/a may pass"));
  EXPECT_THAT(Window(95), IsEmpty());
  const Alert fired = Only(120);
  EXPECT_EQ(fired.started_at, At(5));
  EXPECT_EQ(fired.fired_at, At(15));
  Only(50);
  Only(120);
  EXPECT_THAT(Window(50), IsEmpty());
  EXPECT_THAT(Window(50), IsEmpty());
  const Alert withdrawn = Only(50);
  EXPECT_EQ(withdrawn.state, State::kResolved);
  EXPECT_EQ(withdrawn.fired_at, std::nullopt);
  EXPECT_THAT(withdrawn.summary, HasSubstr("is not about to pass 100 packets per 5s any more"));
}

TEST_F(RulesTest, KeepsFiringForAWhile) {
  Use({{.terms = {.keep_firing_for = 10s}}});
  Only(120);
  EXPECT_THAT(Window(50), IsEmpty());
  EXPECT_THAT(Window(95), IsEmpty()) << "not clear: from here it counts again";
  EXPECT_THAT(Window(50), IsEmpty());
  EXPECT_EQ(Only(50).state, State::kResolved);
}

TEST_F(RulesTest, ALinkThatGoesQuietIsTold) {
  Use({{.name = "quiet", .kind = Kind::kQuiet, .threshold = {.value = 0}, .terms = {.needed = 2, .of = 2}}});
  EXPECT_THAT(Window(100, 1), IsEmpty());
  EXPECT_EQ(Only(100, 0).state, State::kPending);
  const Alert fired = Only(100, 0);
  EXPECT_EQ(fired.kind, Kind::kQuiet);
  EXPECT_EQ(fired.summary, "demo/a has gone quiet: 0 packets per 5s in the last window");
  EXPECT_EQ(Only(100, 3).summary, "demo/a is not quiet any more: 3 packets per 5s");
}

TEST_F(RulesTest, AForecastThatDegradesIsTold) {
  Use({{.name = "degraded", .kind = Kind::kDegraded}});
  EXPECT_THAT(Window(1000), IsEmpty());
  quality_ = forecast::Quality::kDegraded;
  const Alert fired = Only(1000);
  EXPECT_THAT(fired.summary, StartsWith("the forecast of packets on demo/a is degraded"));
  EXPECT_EQ(fired.threshold, 0);
  EXPECT_EQ(fired.probability, 0);
  quality_ = forecast::Quality::kNaive;
  EXPECT_EQ(Only(1000).summary, "the forecast of packets on demo/a is no longer degraded");
}

TEST_F(RulesTest, WhatIsRaisedInASilenceIsToldAgainAfterIt) {
  Rule rule;
  rule.silences = {{.span = Silence::Span{At(0), At(12)}}};
  Use({rule});
  EXPECT_TRUE(Only(120).silenced);
  EXPECT_THAT(Window(120), IsEmpty());
  const Alert again = Only(120);
  EXPECT_EQ(again.state, State::kFiring);
  EXPECT_FALSE(again.silenced);
  EXPECT_EQ(again.fired_at, At(5));
  EXPECT_EQ(again.made_at, At(15));
  EXPECT_THAT(Window(120), IsEmpty());
  EXPECT_FALSE(Only(50).silenced);
}

TEST_F(RulesTest, WhoWasNeverToldIsNotToldOfTheEnd) {
  Rule rule;
  rule.silences = {{.span = Silence::Span{At(0), At(12)}}, {.span = Silence::Span{At(23), At(100)}}};
  Use({rule});
  EXPECT_TRUE(Only(120).silenced);
  EXPECT_TRUE(Only(50).silenced);
  Window(50);
  EXPECT_FALSE(Only(120).silenced);
  EXPECT_FALSE(Only(50).silenced) << "it was told to fire: its end is told, too";
}

TEST_F(RulesTest, AnAlertOfARuleThatIsAnotherOneEndsAndTheNewOneBegins) {
  Only(500);
  Use({{.threshold = {.value = 200}}});
  const auto changes = Window(500);
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].state, State::kResolved);
  EXPECT_EQ(changes[0].reason, Reason::kRuleChanged);
  EXPECT_EQ(changes[0].threshold, 100);
  EXPECT_EQ(changes[0].started_at, At(5));
  EXPECT_EQ(changes[1].state, State::kFiring);
  EXPECT_EQ(changes[1].started_at, At(10));
}

TEST_F(RulesTest, SilencesRunbooksAndLinksMayChangeUnderneath) {
  Only(500);
  Rule rule{.links = {"demo/*"}, .runbook = "https://x"};
  rule.silences = {{.span = Silence::Span{At(0), At(100)}}};
  Use({rule});
  EXPECT_THAT(Window(500), IsEmpty());
  Use({{.links = {"lab/*"}}});
  EXPECT_EQ(Only(500).reason, Reason::kRuleChanged) << "it is not watched any more";
}

TEST_F(RulesTest, WithoutItsCapacityAnAlertEnds) {
  target_ = "bytes";
  capacities_.Set("*", 1000);
  const Rule rule{.target = "bytes", .threshold = Threshold::Parse("80%")};
  Use({rule});
  Only(1000);
  capacities_ = {};
  Use({rule});
  EXPECT_EQ(Only(1000).reason, Reason::kRuleChanged);
  EXPECT_THAT(Window(1000), IsEmpty());
}

TEST_F(RulesTest, APercentileNeedsAModelThatKnowsIt) {
  Use({{.threshold = Threshold::Parse("p95")}});
  EXPECT_THAT(Window(1000), IsEmpty());
  percentiles_ = {{"", {{"p95", 300}}}};
  EXPECT_EQ(Only(1000).threshold, 300);
}

TEST_F(RulesTest, AForgottenLinkTakesItsAlertsWithIt) {
  Only(500);
  std::vector<Alert> changes;
  alerts_.Forget(At(5), changes);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].reason, Reason::kForgotten);
  EXPECT_EQ(changes[0].summary, "demo/a is watched no longer; its alert load ends");
  EXPECT_THAT(alerts_.active(), IsEmpty());
}

TEST_F(RulesTest, AlertsGoOnFromWhatWasRemembered) {
  Use({{.terms = {.needed = 2, .of = 3}}});
  Only(120);
  alerts_ = LinkAlerts({alerts_.active().begin(), alerts_.active().end()});
  EXPECT_EQ(Only(120).started_at, At(5));
}

TEST_F(RulesTest, ALinkWithoutAlertsCostsNoMoreThanAPointer) { EXPECT_EQ(sizeof(LinkAlerts), sizeof(void*)); }

// Rules that make no sense.

void ExpectRefused(const Rule& rule, const std::string& words) {
  try {
    Validate(rule);
    ADD_FAILURE() << words;
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

TEST(RuleTest, WhatMakesNoSenseIsRefusedWithARemedy) {
  EXPECT_NO_THROW(Validate({}));
  ExpectRefused({.name = ""}, "it has no name; write name");
  ExpectRefused({.target = "bytes"}, "the threshold 100 does not go with the target bytes");
  ExpectRefused({.terms = {.needed = 3, .of = 2}}, "for must be like \"3 of 5\"");
  ExpectRefused({.terms = {.of = 33}}, "at most of 32 windows");
  ExpectRefused({.kind = Kind::kQuiet, .horizon = 3}, "horizon goes with kind = \"load\" only");
  ExpectRefused({.clear = {.absolute = Threshold::Parse("120")}}, "clear is on the wrong side");
  ExpectRefused({.clear = {.absolute = Threshold::Parse("2MB")}}, "clear 2000000B does not go with");
  ExpectRefused({.clear = {.probability = 0.5}}, "clear_probability goes with on = \"probability");
  Rule sure;
  sure.on = {Measure::Kind::kProbability, 0.98};
  ExpectRefused(sure, "a probability is from 0.025 to below 0.975");
  sure.on.level = 0.5;
  sure.clear.probability = 0.6;
  ExpectRefused(sure, "must not be above the probability");
  sure.clear.probability = 0.02;
  ExpectRefused(sure, "it could never clear");
  ExpectRefused({.severity = "", .place = "rules.toml:7:1"},
                "rules.toml:7:1: rule 'load': severity is empty");
}

TEST(RuleTest, MeasuresAreUnderstood) {
  EXPECT_EQ(Measure::Parse("median"), Measure());
  EXPECT_EQ(Measure::Parse("quantile 0.95"), (Measure{Measure::Kind::kQuantile, 0.95}));
  EXPECT_EQ(Measure::Parse("probability > 0.8"), (Measure{Measure::Kind::kProbability, 0.8}));
  for (const char* text :
       {"", "mean", "quantile", "quantile 0.8", "quantile 0.9x", "probability 0.8", "probability > "})
    EXPECT_THROW(Measure::Parse(text), base::ConfigError) << text;
}

TEST(RuleSetTest, TwoRulesOfOneNameAreRefused) {
  EXPECT_THROW(RuleSet({{.name = "a"}, {.name = "a"}}, {}), base::ConfigError);
}

TEST(RuleSetTest, ARuleAboutWhatIsNotForecastIsRefused) {
  const RuleSet rules({{.horizon = 3}}, {});
  EXPECT_NO_THROW(rules.RequireForecasts({"bytes", "packets"}, {1, 3}));
  EXPECT_THROW(rules.RequireForecasts({"bytes"}, {1, 3}), base::ConfigError);
  EXPECT_THROW(rules.RequireForecasts({"packets"}, {1, 2}), base::ConfigError);
}

// Silences. At(0) is 2023-11-14T22:13:20Z, a Tuesday.

TEST(SilenceTest, ADailyOneMayGoOverMidnightAndBelongsToTheDayItBeginsOn) {
  Silence silence{.daily = ParseDaily("22:00-06:00")};
  EXPECT_TRUE(silence.Covers(At(0)));
  EXPECT_FALSE(silence.Covers(At(0) - 14min));
  EXPECT_TRUE(silence.Covers(At(0) + 7h));
  EXPECT_FALSE(silence.Covers(At(0) + 8h));
  silence.daily->weekdays = ParseWeekdays({"tue"});
  EXPECT_TRUE(silence.Covers(At(0) + 7h)) << "Wednesday morning";
  EXPECT_FALSE(silence.Covers(At(0) + 24h));
  EXPECT_FALSE(silence.Covers(At(0) - 17h)) << "Tuesday morning";
}

TEST(SilenceTest, ADayMayBeSilentAsAWhole) {
  Silence silence{.daily = ParseDaily("00:00-24:00")};
  silence.daily->weekdays = ParseWeekdays({"sat", "wed"});
  EXPECT_FALSE(silence.Covers(At(0)));
  EXPECT_TRUE(silence.Covers(At(0) + 2h));
}

TEST(SilenceTest, WhatIsNoTimeOfTheDayIsRefused) {
  for (const char* text :
       {"", "22:00", "22:00-22:00", "25:00-06:00", "22:60-06:00", "22:00-06:00 ", "24:00-06:00", "a-b"})
    EXPECT_THROW(ParseDaily(text), base::ConfigError) << text;
  EXPECT_THROW(ParseWeekdays({"Monday"}), base::ConfigError);
  EXPECT_THROW(ParseWeekdays({}), base::ConfigError);
}

}  // namespace
}  // namespace flowcast::alert
