// Several targets in one model: from the trainer over the bus to the inference, with a learner that learns
// nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/window_wire.h"
#include "services/inference/inference_service.h"
#include "services/inference/model_reader.h"
#include "services/trainer/trainer_service.h"
#include "tests/support/fake_network.h"
#include "tests/support/sequences.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

namespace fs = std::filesystem;
using Targets = std::vector<std::string>;

/// Packets and bytes that have nothing to do with each other.
std::vector<feature::Sequence> MakeLoad(int windows) {
  feature::SequenceBuilder builder(3);
  std::vector<feature::Sequence> sequences;
  for (int i = 0; i < windows; ++i) {
    feature::Window window = support::MakeWindow("demo/a", i, 10 + (i * 7) % 30);
    window.features[feature::kBytes] = 5000 - 100 * ((i * 11) % 37);
    if (auto sequence = builder.Add(window)) sequences.push_back(std::move(*sequence));
  }
  return sequences;
}

class SeveralTargetsTest : public testing::Test {
 protected:
  SeveralTargetsTest() {
    support::CreateTopics(bus_, names_);
    std::string place = (fs::temp_directory_path() / "flowcast-targets-XXXXXX").string();
    if (::mkdtemp(place.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = place;
  }
  ~SeveralTargetsTest() override { fs::remove_all(root_); }

  /// The next sequences.
  void Feed(std::size_t count) {
    for (const std::size_t end = fed_ + count; fed_ < end; ++fed_)
      support::Send(bus_, names_.sequences, wire::Encode(load_.at(fed_)), "demo/a");
  }
  training::PredictorLoaders LoadersOf(const Targets& targets) const {
    std::vector<std::int64_t> columns;
    for (const training::Target& target : training::TargetsOf(feature::Schema::Default(), targets))
      columns.push_back(static_cast<std::int64_t>(target.column));
    return {{"lstm", support::LoadFake(3, feature::kFeatureCount, {1, 3}, columns)}};
  }
  model_store::Manifest Train(const Targets& targets, const std::string& weights = "0") {
    clock_.Advance(1s);
    learner_.weights = weights;
    const training::PredictorLoaders loaders = LoadersOf(targets);
    const model_store::ModelFolder folder(root_);
    const TrainerOptions options{
        .dataset = {.targets = training::TargetsOf(feature::Schema::Default(), targets), .horizons = {1, 3}}};
    TrainerService trainer({bus_,
                            {{"lstm", learner_, loaders.at("lstm"), {0.5}, 3}},
                            loaders,
                            folder,
                            clock_,
                            lines_.log(),
                            [] { return false; }},
                           options, names_);
    return trainer.RunOnce(1).value();
  }
  /// A new process of the inference; its networks answer for what `learned` says.
  void Begin(const Targets& learned) {
    instance_.reset();
    watcher_ = std::make_unique<ModelWatcher>(
        ModelDemands{.targets = options_.targets, .horizons = options_.horizons}, LoadersOf(learned),
        lines_.log());
    models_ = std::make_unique<ModelReader>(bus_, names_.models, *watcher_);
    models_->ReadToEnd();
    store_ = std::make_unique<InferenceStore>(
        bus_, clock_, names_.state, [] { return false; }, lines_.log());
    task_ = std::make_unique<InferenceTask>(options_, names_, *watcher_, clock_, lines_.log());
    task_->Connect(*store_);
    instance_ = std::make_unique<support::Instance>(bus_, clock_, *task_, names_.sequences, "inference",
                                                    lines_.log());
  }
  void Infer(std::size_t sequences) {
    Feed(sequences);
    instance_->RunOut();
  }
  std::vector<wire::ForecastRecord> Forecasts() const {
    std::vector<wire::ForecastRecord> forecasts;
    for (const bus::InRecord& record : bus_.Records(names_.forecasts)) {
      EXPECT_EQ(record.key, "demo/a");
      forecasts.push_back(wire::DecodeForecast(record.value).value());
    }
    return forecasts;
  }
  std::vector<std::string> ForecastBytes() const {
    std::vector<std::string> values;
    for (const bus::InRecord& record : bus_.Records(names_.forecasts)) values.push_back(record.value);
    return values;
  }

  InferenceOptions options_{.targets = {"packets", "bytes"}, .horizons = {1, 3}, .snapshot_every = 4};
  base::ManualClock clock_{support::At(1e6)};
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  support::Lines lines_;
  support::FakeLearner learner_;
  fs::path root_;
  std::vector<feature::Sequence> load_ = MakeLoad(400);
  std::size_t fed_ = 0;
  std::unique_ptr<ModelWatcher> watcher_;
  std::unique_ptr<ModelReader> models_;
  std::unique_ptr<InferenceStore> store_;
  std::unique_ptr<InferenceTask> task_;
  std::unique_ptr<support::Instance> instance_;
};

TEST_F(SeveralTargetsTest, OneModelIsLearnedForAllWithTheNumbersOfEach) {
  Feed(200);
  const model_store::Manifest manifest = Train({"packets", "bytes"});
  EXPECT_THAT(learner_.shape.targets, ElementsAre(feature::kPackets, feature::kBytes));
  EXPECT_THAT(manifest.targets(), ElementsAre("packets", "bytes"));
  ASSERT_THAT(manifest.further, SizeIs(1));
  const model_store::FurtherTarget& bytes = manifest.further.front();
  EXPECT_EQ(bytes.metrics.count, manifest.metrics.count);
  EXPECT_GT(bytes.metrics.mae, 100) << "bytes are hundreds apart";
  EXPECT_LT(manifest.metrics.mae, 30);
  EXPECT_EQ(bytes.forecasters.at("lstm").at(1).mae, bytes.metrics.mae) << "there is no other forecaster";
  EXPECT_THAT(bytes.forecasters.at("lstm"), SizeIs(2)) << "horizons";
  EXPECT_GT(bytes.percentiles.at("demo/a").at("p50"), 1000);
  EXPECT_LT(manifest.percentiles.at("demo/a").at("p50"), 40);
  EXPECT_TRUE(lines_.Contain("packets validation MAE"));
  EXPECT_TRUE(lines_.Contain("; bytes validation MAE"));
}

TEST_F(SeveralTargetsTest, TheContestIsTheMeanOfThem) {
  Feed(380);
  const auto first = Train({"packets", "bytes"}, "3");
  const auto second = Train({"bytes", "packets"}, "0");
  const model_store::Decision& decision = second.decision;
  EXPECT_EQ(decision.against, first.version) << "the order is no difference";
  ASSERT_THAT(decision.by_target, SizeIs(2));
  const auto& [packets, bytes] = std::pair(decision.by_target.at("packets"), decision.by_target.at("bytes"));
  EXPECT_NE(packets.error, bytes.error);
  EXPECT_DOUBLE_EQ(decision.error, (packets.error + bytes.error) / 2);
  EXPECT_DOUBLE_EQ(decision.error_before, (packets.error_before + bytes.error_before) / 2);
  EXPECT_THAT(decision.reason, testing::HasSubstr("; of bytes "));
  const auto other = Train({"packets"}, "8");
  EXPECT_TRUE(other.decision.replaced);
  EXPECT_THAT(other.decision.reason, testing::HasSubstr("another target"));
}

TEST_F(SeveralTargetsTest, EverySequenceBringsAForecastOfEachWithTheModel) {
  Feed(200);
  const auto manifest = Train(options_.targets);
  Begin(options_.targets);
  Infer(50);
  const auto forecasts = Forecasts();
  ASSERT_THAT(forecasts, SizeIs(2 * 250));
  for (std::size_t i = 0; i < forecasts.size(); ++i) {
    const forecast::Forecast& forecast = forecasts[i].forecast;
    const feature::Sequence& sequence = load_[i / 2];
    EXPECT_EQ(forecast.target, options_.targets[i % 2]);
    EXPECT_EQ(forecast.made_at, sequence.end);
    EXPECT_EQ(forecast.last_actual, sequence.last[i % 2]);
    const bool has_model = sequence.end >= manifest.trained_until;
    EXPECT_EQ(forecast.model_version, has_model ? manifest.version : "");
    EXPECT_EQ(forecast.horizons[0].experts.back().name == "lstm", has_model);
    for (const forecast::Settled& settled : forecasts[i].settled)
      EXPECT_EQ(settled.actual, sequence.last[i % 2]);
  }
  EXPECT_GT(forecasts.back().settled.size(), 0u);
  const InferenceCounters& counters = task_->counters();
  EXPECT_EQ(counters.sequences, counters.forecast);
  EXPECT_EQ(counters.forecasts, 2 * counters.forecast);
}

TEST_F(SeveralTargetsTest, OneThatTheModelLacksIsForecastByTheOthers) {
  Feed(200);
  const auto manifest = Train({"packets"});
  options_.targets = {"bytes", "packets"};
  Begin({"packets"});
  Infer(10);
  const auto forecasts = Forecasts();
  EXPECT_EQ(forecasts[forecasts.size() - 2].forecast.target, "bytes");
  EXPECT_EQ(forecasts[forecasts.size() - 2].forecast.model_version, "");
  EXPECT_EQ(forecasts.back().forecast.model_version, manifest.version);
  EXPECT_TRUE(lines_.Contain("model " + manifest.version + " does not forecast bytes"));
}

TEST_F(SeveralTargetsTest, AModelOfNoneOfThemIsRefused) {
  Feed(200);
  Train({"jitter"});
  Begin({"jitter"});
  EXPECT_EQ(watcher_->current(), nullptr);
  EXPECT_TRUE(lines_.Contain("it forecasts jitter, not packets, bytes (--target)"));
}

TEST_F(SeveralTargetsTest, ARestartAnywhereChangesNoForecastOfAny) {
  Feed(200);
  Train(options_.targets);
  Begin(options_.targets);
  Infer(60);
  const auto straight = ForecastBytes();
  bus_.MakeAdmin()->DeleteTopic(names_.forecasts);
  bus_.MakeAdmin()->DeleteTopic(names_.state);
  support::CreateTopics(bus_, names_);
  instance_.reset();
  bus_.MakeAdmin()->DeleteTopic(names_.sequences);
  support::CreateTopics(bus_, names_);
  fed_ = 0;
  Begin(options_.targets);
  for (const std::size_t some : {200, 7, 1, 13, 2, 30, 7}) {
    Infer(some);
    Begin(options_.targets);
  }
  instance_->RunOut();
  EXPECT_EQ(ForecastBytes(), straight);
}

TEST_F(SeveralTargetsTest, WhatOneTargetHadLearnedStaysWhenAnotherComes) {
  options_.targets = {"bytes"};
  Begin({"bytes"});
  Infer(100);
  options_.targets = {"packets", "bytes"};
  Begin({"bytes"});
  Infer(4);
  const auto forecasts = Forecasts();
  const auto& packets = forecasts[forecasts.size() - 2].forecast;
  EXPECT_EQ(packets.target, "packets");
  EXPECT_LE(packets.record.settled, 8u) << "it began with the few sequences that are in no snapshot";
  EXPECT_GT(forecasts.back().forecast.record.settled, 95u);
  EXPECT_TRUE(lines_.Contain("1 links' forecasts begin anew where --target or --horizons are others"));
}

TEST_F(SeveralTargetsTest, AlertsAreAboutTheTargetThatTheThresholdIsFor) {
  options_.threshold = alert::Threshold::Parse("2kB");
  options_.alert_target = 1;
  Begin(options_.targets);
  Infer(60);
  const auto records = bus_.Records(names_.alerts);
  ASSERT_FALSE(records.empty());
  for (const bus::InRecord& record : records) EXPECT_EQ(wire::DecodeAlertJson(record.value)->target, "bytes");
}

}  // namespace
}  // namespace flowcast::services
