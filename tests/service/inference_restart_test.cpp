// The inference task killed and started again anywhere: forecasts and alerts are those of a run without that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/base/random.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/inference_state_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/window_wire.h"
#include "services/inference/inference_service.h"
#include "services/inference/model_reader.h"
#include "tests/support/fake_network.h"
#include "tests/support/sequences.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::Instance;
using testing::SizeIs;

Alerting::Rules BuiltInRules() { return std::make_shared<const alert::RuleSet>(alert::BuiltInRules({})); }

/// The whole world of one run: a bus, and instances of the service one after the other.
class World {
 public:
  World() { support::CreateTopics(bus, names); }
  /// A new process.
  void Begin() {
    instance.reset();
    watcher = std::make_unique<ModelWatcher>(
        ModelDemands{}, training::PredictorLoaders{{"lstm", support::LoadFake()}}, lines.log());
    models = std::make_unique<ModelReader>(bus, names.models, *watcher);
    models->ReadToEnd();
    store = std::make_unique<InferenceStore>(
        bus, clock, names.state, [] { return false; }, lines.log());
    task = std::make_unique<InferenceTask>(options, names, *watcher, clock, lines.log());
    task->Connect(*store);
    instance = std::make_unique<Instance>(bus, clock, *task, names.sequences, "inference", lines.log());
  }
  void Send(const feature::Sequence& sequence) {
    support::Send(bus, names.sequences, wire::Encode(sequence), sequence.link);
  }
  void Publish(const std::string& version, const std::string& weights) {
    const model_store::Manifest manifest{.version = version,
                                         .schema_hash = feature::Schema::Default().hash(),
                                         .target = "packets",
                                         .window_length = 5s,
                                         .sequence_length = 3,
                                         .trained_until = At(0)};
    support::Send(bus, names.models, wire::Encode(model_store::Model{manifest, {{"lstm", weights}}}),
                  wire::ModelKey("default", version));
    support::Send(bus, names.models, wire::EncodeCurrentModel(version), wire::CurrentModelKey("default"));
    if (models) models->Poll();
  }
  std::vector<std::string> Values(const std::string& topic) const {
    std::vector<std::string> values;
    for (const bus::InRecord& record : bus.Records(topic)) values.push_back(record.key + "=" + record.value);
    return values;
  }
  std::map<std::string, std::string> State() const {
    std::map<std::string, std::string> state;
    for (const bus::InRecord& record : bus.Records(names.state)) {
      if (record.tombstone) state.erase(record.key);
      if (!record.tombstone) state[record.key] = record.value;
    }
    return state;
  }

  InferenceOptions options{.rules = BuiltInRules(), .snapshot_every = 4};
  base::ManualClock clock;
  bus::MemoryBus bus{clock};
  topics::Names names;
  support::Lines lines;
  std::unique_ptr<ModelWatcher> watcher;
  std::unique_ptr<ModelReader> models;
  std::unique_ptr<InferenceStore> store;
  std::unique_ptr<InferenceTask> task;
  std::unique_ptr<Instance> instance;
};

/// Some links whose load comes and goes; now and then one is silent for a while.
std::vector<feature::Sequence> MakeLoad(std::uint64_t seed) {
  base::Random random(seed);
  std::vector<feature::Sequence> all;
  for (const char* const link : {"demo/a", "demo/b", "demo/c"}) {
    std::vector<double> packets;
    for (int i = 0; i < 40; ++i)
      packets.push_back(std::floor((i / 7 % 2 == 0 ? 60 : 180) * random.Uniform()));
    const auto sequences = support::MakeSequences(link, packets);
    for (const feature::Sequence& sequence : sequences) {
      if (random.Below(20) > 0) all.push_back(sequence);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& one, const auto& other) { return one.end < other.end; });
  return all;
}

constexpr std::size_t kSecondModelAt = 50;
constexpr std::size_t kSecondRulesAt = 70;

/// Rules that remember more than one window; the second set has one of the first, changed ones and others.
Alerting::Rules SomeRules(bool second) {
  alert::Rule often{.name = "often", .threshold = {.value = 90}, .terms = {.needed = 2, .of = 4}};
  alert::Rule sure{.name = "sure", .horizon = alert::Rule::kAny, .threshold = {.value = 110}};
  sure.on = {alert::Measure::Kind::kProbability, second ? 0.6 : 0.7};
  alert::Rule kept{.name = "kept", .threshold = {.value = 100}};
  kept.on = {alert::Measure::Kind::kQuantile, 0.9};
  kept.terms.keep_firing_for = 35s;
  const alert::Rule quiet{.name = "quiet",
                          .kind = alert::Kind::kQuiet,
                          .threshold = {.value = 40},
                          .terms = {.needed = 3, .of = 5}};
  alert::Rule silent{.name = "silent", .except = {"*/b"}, .threshold = {.value = 80}};
  silent.silences = {{.span = alert::Silence::Span{At(0), At(100)}}};
  const std::vector<alert::Rule> first{often, sure, kept, silent};
  const std::vector<alert::Rule> then{quiet, kept, often, sure};
  return std::make_shared<const alert::RuleSet>(second ? then : first, alert::Capacities{});
}

/// Kills the process wherever `dies` says so, after which it works for as many steps.
std::unique_ptr<World> RunOver(const std::vector<feature::Sequence>& load,
                               const std::function<bool(std::size_t)>& dies, bool with_rules = false) {
  auto world = std::make_unique<World>();
  if (with_rules) world->options.rules = SomeRules(false);
  world->Publish("v1", "0");
  world->Begin();
  for (std::size_t i = 0; i < load.size(); ++i) {
    if (i == kSecondModelAt) {
      world->instance->RunOut();
      world->Publish("v2", "0.5");
    }
    if (with_rules && i == kSecondRulesAt) {
      world->instance->RunOut();
      world->options.rules = SomeRules(true);
      world->task->UseRules(world->options.rules);
    }
    world->Send(load[i]);
    if (dies(i)) world->Begin();
    world->instance->Step();
    if (dies(i + 1'000'000)) world->Begin();
  }
  world->instance->RunOut();
  return world;
}

bool Never(std::size_t) { return false; }

TEST(InferenceRestart, AnywhereChangesNoForecastAndNoAlert) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto load = MakeLoad(seed);
    const auto straight = RunOver(load, Never);
    EXPECT_GT(straight->Values(straight->names.alerts).size(), 4u);
    base::Random random(seed);
    const auto killed = RunOver(load, [&random](std::size_t) { return random.Below(6) == 0; });
    for (const std::string& topic : {straight->names.forecasts, straight->names.alerts}) {
      ASSERT_THAT(killed->Values(topic), SizeIs(straight->Values(topic).size())) << seed;
      EXPECT_EQ(killed->Values(topic), straight->Values(topic)) << seed;
    }
    EXPECT_FALSE(killed->lines.Contain("has no state"));
    EXPECT_FALSE(killed->lines.Contain("begin anew"));
  }
}

/// The last state of each alert, and that every one fires and ends in turn.
std::map<std::string, alert::State> LastStates(const World& world) {
  std::map<std::string, alert::State> last;
  std::set<std::string> ids;
  for (const bus::InRecord& record : world.bus.Records(world.names.alerts)) {
    const alert::Alert alert = wire::DecodeAlertJson(record.value).value();
    const auto before = last.find(record.key);
    const bool was_over = before == last.end() || before->second == alert::State::kResolved;
    EXPECT_FALSE(was_over && alert.state == alert::State::kResolved) << record.value;
    const auto id = wire::CloudEventHeaders(alert).at(1);
    EXPECT_EQ(id.name, "ce_id");
    EXPECT_TRUE(ids.insert(id.value).second) << id.value << " is told twice";
    last[record.key] = alert.state;
  }
  return last;
}

TEST(InferenceRestart, AnywhereChangesNoAlertOfRulesThatRememberNorWhatComesOfOtherRules) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto load = MakeLoad(seed);
    const auto straight = RunOver(load, Never, true);
    EXPECT_GT(straight->Values(straight->names.alerts).size(), 20u);
    LastStates(*straight);
    base::Random random(seed);
    const auto killed = RunOver(
        load, [&random](std::size_t) { return random.Below(6) == 0; }, true);
    EXPECT_EQ(killed->Values(killed->names.alerts), straight->Values(straight->names.alerts)) << seed;
  }
}

TEST(InferenceRestart, WithOtherRulesLeavesNoAlertFiringAndFiresNoneTwice) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto load = MakeLoad(seed);
    World world;
    world.options.rules = SomeRules(false);
    world.Begin();
    base::Random random(seed);
    for (std::size_t i = 0; i < load.size(); ++i) {
      world.Send(load[i]);
      world.instance->Step();
      if (random.Below(8) > 0) continue;
      world.options.rules = random.Below(3) == 0 ? BuiltInRules() : SomeRules(random.Below(2) == 0);
      world.Begin();
    }
    world.instance->RunOut();
    world.options.rules = std::make_shared<const alert::RuleSet>();
    world.Begin();
    for (const char* const link : {"demo/a", "demo/b", "demo/c"})
      world.Send(support::MakeSequences(link, {1, 2, 3}, 3, 1000).at(0));
    world.instance->RunOut();
    for (const auto& [fingerprint, state] : LastStates(world))
      EXPECT_EQ(state, alert::State::kResolved) << fingerprint;
  }
}

TEST(InferenceRestart, TheModelThatWasAskedThenIsAskedAgain) {
  const auto load = MakeLoad(3);
  const auto straight = RunOver(load, Never);
  // Dies just after the second model took over: what is folded again was forecast with the first one.
  const auto killed = RunOver(load, [](std::size_t i) { return i == kSecondModelAt + 1; });
  EXPECT_EQ(killed->Values(killed->names.forecasts), straight->Values(straight->names.forecasts));
  EXPECT_GT(killed->task->counters().refolded, 0u);
}

TEST(InferenceRestart, ReadsNoMoreThanTheSequencesThatAreInNoSnapshot) {
  World world;
  world.options.snapshot_every = 5;
  world.Begin();
  const auto sequences = support::MakeSequences("demo/a", std::vector<double>(1000, 50));
  for (const feature::Sequence& sequence : sequences) world.Send(sequence);
  world.instance->RunOut();
  world.Begin();
  world.instance->RunOut();
  EXPECT_LE(world.task->counters().refolded, 256u + 5u) << "positions are kept by blocks";
  EXPECT_EQ(world.task->counters().forecasts, 0u);
  EXPECT_EQ(world.task->link_count(), 1u);
}

TEST(InferenceRestart, AnAlertThatWasFiringIsResolvedAfterwards) {
  World world;
  world.Begin();
  const auto sequences =
      support::MakeSequences("demo/a", {10, 10, 10, 500, 500, 500, 500, 500, 10, 10, 10, 10, 10, 10, 10, 10});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    world.Send(sequences[i]);
    world.instance->RunOut();
    if (i == 4) world.Begin();
  }
  std::vector<alert::State> states;
  for (const bus::InRecord& record : world.bus.Records(world.names.alerts))
    states.push_back(wire::DecodeAlertJson(record.value)->state);
  EXPECT_THAT(states, testing::ElementsAre(alert::State::kFiring, alert::State::kResolved));
}

TEST(InferenceRestart, WithOtherHorizonsBeginsAnewAndReplacesWhatWas) {
  World world;
  world.Begin();
  const auto sequences = support::MakeSequences("demo/a", std::vector<double>(50, 50));
  for (std::size_t i = 0; i < 40; ++i) world.Send(sequences[i]);
  world.instance->RunOut();
  ASSERT_TRUE(world.State().contains("inference/link/demo/a"));
  world.options.horizons = {1, 4};
  world.Begin();
  world.instance->RunOut();
  for (std::size_t i = 40; i < sequences.size(); ++i) world.Send(sequences[i]);
  world.instance->RunOut();
  const auto last = wire::DecodeForecast(world.bus.Records(world.names.forecasts).back().value).value();
  EXPECT_THAT(last.forecast.horizons, SizeIs(2));
  const auto kept = wire::DecodeInferenceLink(world.State()["inference/link/demo/a"]).value();
  forecast::ForecasterOptions options;
  options.horizons = {1, 4};
  EXPECT_TRUE(forecast::LinkForecaster(options).Restore(kept.forecasters.at(0)));
}

TEST(InferenceRestart, WithOtherHorizonsAnAlertGoesOnAndIsResolved) {
  World world;
  world.Begin();
  const auto sequences =
      support::MakeSequences("demo/a", {500, 500, 500, 500, 500, 500, 10, 10, 10, 10, 10, 10});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    world.Send(sequences[i]);
    world.instance->RunOut();
    if (i != 2) continue;
    world.options.horizons = {1, 4};
    world.Begin();
  }
  ASSERT_THAT(world.bus.Records(world.names.alerts), SizeIs(2));
  const auto alert = wire::DecodeAlertJson(world.bus.Records(world.names.alerts)[1].value).value();
  EXPECT_EQ(alert.state, alert::State::kResolved);
  EXPECT_EQ(alert.reason, alert::Reason::kCleared);
}

std::vector<feature::Sequence> OfLongerWindows(const std::vector<double>& packets, int first) {
  auto sequences = support::MakeSequences("demo/a", packets, 3, first);
  for (feature::Sequence& sequence : sequences) sequence.window_length = 10s;
  return sequences;
}

TEST(InferenceRestart, WindowsOfAnotherLengthAreInASnapshotAtOnceWithTheEndsOfAlerts) {
  World world;
  world.options.snapshot_every = 1'000'000;
  world.Begin();
  for (const feature::Sequence& sequence : support::MakeSequences("demo/a", {500, 500, 500, 500}))
    world.Send(sequence);
  world.Send(OfLongerWindows({10, 10, 10}, 10).at(0));
  world.instance->RunOut();
  const auto kept = wire::DecodeInferenceLink(world.State()["inference/link/demo/a"]).value();
  EXPECT_EQ(kept.window_length, 10s);
  EXPECT_THAT(kept.alerts, testing::IsEmpty());
  world.Begin();
  world.instance->RunOut();
  EXPECT_EQ(LastStates(world).begin()->second, alert::State::kResolved);
  EXPECT_THAT(world.bus.Records(world.names.alerts), SizeIs(2)) << "none is told twice";
}

TEST(InferenceRestart, FoldsNothingAgainThatIsInTheSnapshotAlsoWhereTheWindowsHadAnotherLengthThen) {
  const auto run = [](bool dies) {
    auto world = std::make_unique<World>();
    world->options.snapshot_every = 1'000'000;
    world->Begin();
    for (const feature::Sequence& sequence : support::MakeSequences("demo/a", {10, 10, 10, 10}))
      world->Send(sequence);
    for (const feature::Sequence& sequence : OfLongerWindows({500, 500, 500, 500}, 10)) world->Send(sequence);
    world->instance->RunOut();
    if (dies) world->Begin();
    for (const feature::Sequence& sequence : OfLongerWindows({10, 10, 10, 10, 10, 10}, 14))
      world->Send(sequence);
    world->instance->RunOut();
    return world;
  };
  const auto straight = run(false), killed = run(true);
  EXPECT_EQ(LastStates(*straight).begin()->second, alert::State::kResolved);
  EXPECT_EQ(killed->Values(killed->names.alerts), straight->Values(straight->names.alerts));
  EXPECT_EQ(killed->Values(killed->names.forecasts), straight->Values(straight->names.forecasts));
}

TEST(InferenceRestart, WithoutItsStateBeginsAnewAndSaysSo) {
  World world;
  world.Begin();
  for (const feature::Sequence& sequence : support::MakeSequences("demo/a", std::vector<double>(30, 50)))
    world.Send(sequence);
  world.instance->RunOut();
  const auto admin = world.bus.MakeAdmin();
  admin->DeleteTopic(world.names.state);
  support::CreateTopics(world.bus, world.names);
  world.Begin();
  EXPECT_NO_THROW(world.instance->RunOut());
  EXPECT_TRUE(world.lines.Contain("the committed position has no state"));
}

TEST(InferenceRestart, ALinkThatStandsStillHoldsNobodyUpAndIsForgottenInTheEnd) {
  World world;
  world.options.snapshot_every = 1'000'000;
  world.options.link_expiry = 1h;
  world.Begin();
  for (const feature::Sequence& sequence : support::MakeSequences("demo/still", {1, 2, 3, 4}))
    world.Send(sequence);
  world.instance->RunOut();
  EXPECT_FALSE(world.State().contains("inference/link/demo/still"));
  world.clock.Advance(2h);
  for (const feature::Sequence& sequence : support::MakeSequences("demo/other", {1, 2, 3, 4}))
    world.Send(sequence);
  world.instance->RunOut();
  EXPECT_EQ(world.task->link_count(), 1u);
}

TEST(InferenceRestart, ALinkThatIsForgottenTakesItsAlertsWithIt) {
  World world;
  world.options.link_expiry = 1h;
  world.Begin();
  for (const feature::Sequence& sequence : support::MakeSequences("demo/still", {500, 500, 500, 500}))
    world.Send(sequence);
  world.instance->RunOut();
  world.Begin();
  world.instance->RunOut();
  world.clock.Advance(2h);
  for (const feature::Sequence& sequence : support::MakeSequences("demo/other", {1, 2, 3, 4}))
    world.Send(sequence);
  world.instance->RunOut();
  const auto alert = wire::DecodeAlertJson(world.bus.Records(world.names.alerts).back().value).value();
  EXPECT_EQ(alert.link, "demo/still");
  EXPECT_EQ(alert.state, alert::State::kResolved);
  EXPECT_EQ(alert.reason, alert::Reason::kForgotten);
  EXPECT_EQ(alert.resolved_at, At(20));
  EXPECT_FALSE(world.State().contains("inference/link/demo/still"));
}

/// Alerts of "demo/still" that fired and were then left alone.
class AlertsOfALinkThatFallsSilent : public testing::Test {
 protected:
  void SetUp() override {
    world_.options.alert_expiry = 1h;
    world_.Begin();
    Send("demo/still", {500, 500, 500, 500}, 0);
  }
  void Send(const std::string& link, const std::vector<double>& packets, int first) {
    for (const feature::Sequence& sequence : support::MakeSequences(link, packets, 3, first))
      world_.Send(sequence);
    world_.instance->RunOut();
  }
  void Pass(base::Duration time) {
    world_.clock.Advance(time);
    world_.instance->RunOut();
  }
  std::vector<alert::Alert> Alerts() const {
    std::vector<alert::Alert> alerts;
    for (const bus::InRecord& record : world_.bus.Records(world_.names.alerts))
      alerts.push_back(wire::DecodeAlertJson(record.value).value());
    return alerts;
  }

  World world_;
};

TEST_F(AlertsOfALinkThatFallsSilent, EndOnceAndSayWhy) {
  Pass(59min);
  EXPECT_THAT(Alerts(), SizeIs(1));
  Pass(2min);
  Pass(2h);
  ASSERT_THAT(Alerts(), SizeIs(2));
  const alert::Alert end = Alerts().back();
  EXPECT_EQ(end.state, alert::State::kResolved);
  EXPECT_EQ(end.reason, alert::Reason::kSilent);
  EXPECT_EQ(end.resolved_at, At(20)) << "the end of the last window known";
  EXPECT_EQ(end.summary, "nothing is heard of demo/still any more; its alert load ends without an all-clear");
  EXPECT_EQ(world_.task->link_count(), 1u) << "what it has learned is kept";
}

TEST_F(AlertsOfALinkThatFallsSilent, EndAlsoWhenNothingAtAllComesAfterARestart) {
  world_.Begin();
  world_.instance->RunOut();
  Pass(2h);
  ASSERT_THAT(Alerts(), SizeIs(2));
  EXPECT_EQ(Alerts().back().reason, alert::Reason::kSilent);
  world_.Begin();
  world_.instance->RunOut();
  Pass(2h);
  EXPECT_THAT(Alerts(), SizeIs(2)) << "what was published is in the state";
}

TEST_F(AlertsOfALinkThatFallsSilent, FireAgainWhenItComesBackThatHigh) {
  Pass(2h);
  Send("demo/still", {500, 500, 500, 500}, 2000);
  ASSERT_THAT(Alerts(), SizeIs(3));
  EXPECT_EQ(Alerts().back().state, alert::State::kFiring);
  EXPECT_GT(Alerts().back().started_at, Alerts().front().started_at);
}

TEST_F(AlertsOfALinkThatFallsSilent, ButThatItIsQuietStaysTrue) {
  alert::Rule quiet{.name = "quiet", .kind = alert::Kind::kQuiet, .threshold = {.value = 40}};
  world_.task->UseRules(std::make_shared<const alert::RuleSet>(std::vector{quiet}, alert::Capacities{}));
  Send("demo/dead", {50, 0, 0, 0}, 0);
  Pass(2h);
  const auto alerts = Alerts();
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts.back().reason, alert::Reason::kSilent) << "of demo/still";
  for (const alert::Alert& alert : alerts)
    EXPECT_TRUE(alert.link != "demo/dead" || alert.state == alert::State::kFiring);
}

TEST_F(AlertsOfALinkThatFallsSilent, WaitForThreeWindowsHoweverLongTheyAre) {
  world_.options.alert_expiry = 1s;
  world_.Begin();
  world_.instance->RunOut();
  Send("demo/still", {500, 500, 500, 500}, 4);
  Pass(10s);
  EXPECT_THAT(Alerts(), SizeIs(1));
  Pass(20s);
  EXPECT_THAT(Alerts(), SizeIs(2));
}

}  // namespace
}  // namespace flowcast::services
