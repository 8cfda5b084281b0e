// The inference task in its slice loop, with predictors that are made up.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/wire/alert_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/window_wire.h"
#include "services/inference/inference_service.h"
#include "services/inference/model_reader.h"
#include "services/inference/rules_watcher.h"
#include "tests/support/fake_network.h"
#include "tests/support/sequences.h"
#include "tests/support/services.h"

namespace flowcast::services {

inline model_store::Manifest FittingManifest(const std::string& version) {
  return {.version = version,
          .schema_hash = feature::Schema::Default().hash(),
          .target = "packets",
          .horizon_windows = 1,
          .window_length = std::chrono::seconds(5),
          .sequence_length = 3,
          .trained_until = support::At(0)};
}

inline Alerting::Rules BuiltInRules() {
  return std::make_shared<const alert::RuleSet>(alert::BuiltInRules({}));
}

class InferenceServiceTest : public testing::Test {
 protected:
  InferenceServiceTest() {
    support::CreateTopics(bus_, names_);
    reader_.ReadToEnd();
    task_.Connect(store_);
    instance_ = std::make_unique<support::Instance>(bus_, clock_, task_, names_.sequences, "inference");
  }

  void Publish(const model_store::Manifest& manifest, const std::string& weights) {
    support::Send(bus_, names_.models, wire::Encode(model_store::Model{manifest, {{"lstm", weights}}}),
                  wire::ModelKey(manifest.name, manifest.version));
    PointAt(manifest.version);
  }
  void PointAt(const std::string& version) {
    support::Send(bus_, names_.models, wire::EncodeCurrentModel(version), wire::CurrentModelKey("default"));
    reader_.Poll();
  }
  void SendSequence(const feature::Sequence& sequence) {
    support::Send(bus_, names_.sequences, wire::Encode(sequence), sequence.link);
  }
  /// Sequences of these counts; each call goes on where the one before ended.
  void Feed(const std::vector<double>& packets, const std::string& link = "demo/a") {
    auto& history = history_[link];
    history.insert(history.end(), packets.begin(), packets.end());
    const auto sequences = support::MakeSequences(link, history);
    const std::size_t fresh = std::min(packets.size(), sequences.size());
    for (std::size_t i = sequences.size() - fresh; i < sequences.size(); ++i) SendSequence(sequences[i]);
    instance_->RunOut();
  }
  std::vector<wire::ForecastRecord> Forecasts() const {
    std::vector<wire::ForecastRecord> forecasts;
    for (const bus::InRecord& record : bus_.Records(names_.forecasts)) {
      forecasts.push_back(wire::DecodeForecast(record.value).value());
    }
    return forecasts;
  }
  std::vector<alert::Alert> Alerts() const {
    std::vector<alert::Alert> alerts;
    for (const bus::InRecord& record : bus_.Records(names_.alerts)) {
      alerts.push_back(wire::DecodeAlertJson(record.value).value());
    }
    return alerts;
  }
  std::unique_ptr<training::Predictor> LoadNetwork(const std::string& weights) const {
    return support::LoadFake(network_length_, feature::kFeatureCount, network_horizon_)(weights);
  }
  std::string VersionInUse() const {
    return watcher_.current() == nullptr ? "none" : watcher_.current()->manifest.version;
  }

  base::ManualClock clock_;
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  support::Lines lines_;
  std::map<std::string, std::vector<double>> history_;
  std::int64_t network_length_ = 3;
  int network_horizon_ = 1;
  ModelWatcher watcher_{{},
                        {{"lstm", [this](const std::string& weights) { return LoadNetwork(weights); }},
                         {"xgboost", support::LoadFake()}},
                        lines_.log()};
  ModelReader reader_{bus_, names_.models, watcher_};
  InferenceStore store_{bus_, clock_, names_.state, [] { return false; }, lines_.log()};
  RulesWatcher rules_{{"", [] { return alert::BuiltInRules({}); }}, clock_, lines_.log()};
  InferenceTask task_{{.rules = BuiltInRules()}, names_, watcher_, clock_, lines_.log()};
  std::unique_ptr<support::Instance> instance_;
};

}  // namespace flowcast::services
