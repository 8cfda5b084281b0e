// A trainer over the in-memory bus, with learners that learn nothing.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "libs/model_topic/model_topic.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/window_wire.h"
#include "services/trainer/trainer_service.h"
#include "tests/support/fake_network.h"
#include "tests/support/sequences.h"
#include "tests/support/services.h"

namespace flowcast::services {

using namespace std::chrono_literals;
using support::At;

namespace fs = std::filesystem;

class TrainerServiceTest : public testing::Test {
 protected:
  TrainerServiceTest() {
    support::CreateTopics(bus_, names_);
    std::string place = (fs::temp_directory_path() / "flowcast-trainer-XXXXXX").string();
    if (::mkdtemp(place.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = place;
  }
  ~TrainerServiceTest() override { fs::remove_all(root_); }

  /// Sequences of 3 windows, from window number `first` on.
  void Feed(const std::string& link, int windows, int first = 0) {
    std::vector<double> counts;
    for (int i = 0; i < windows; ++i) counts.push_back(10 + (i * 7) % 30);
    for (const auto& sequence : support::MakeSequences(link, counts, 3, first)) {
      support::Send(bus_, names_.sequences, wire::Encode(sequence), link);
    }
  }
  TrainerService Make(TrainerOptions options = {}) {
    options.network = {.layers = 2, .hidden = 32, .dropout = 0.1};
    const std::vector<int>& horizons = options.dataset.horizons;
    const training::PredictorLoader load = support::LoadFake(3, feature::kFeatureCount, horizons);
    std::vector<training::Forecaster> forecasters;
    if (with_trees_) forecasters.push_back({"xgboost", trees_, load, {0.5}, 3, "forest"});
    forecasters.push_back({"lstm", learner_, load, {0.5}, 3});
    return TrainerService({bus_,
                           forecasters,
                           {{"lstm", load}, {"xgboost", load}},
                           folder(),
                           clock_,
                           lines_.log(),
                           [this] { return stop(); },
                           [this](const TrainerProgress& progress) { progress_ = progress; }},
                          options, names_);
  }
  /// The version that models.v1 points at.
  std::string Current() { return model_topic::List(bus_, names_, "default").current; }
  std::set<std::string> Versions() {
    std::set<std::string> versions;
    for (const auto& [version, entry] : model_topic::List(bus_, names_, "default").versions)
      versions.insert(version);
    return versions;
  }
  /// Learns now; answers "0.5" and the like to everything.
  model_store::Manifest TrainOnce(const std::string& weights, TrainerOptions options = {}) {
    clock_.Advance(1s);
    learner_.weights = weights;
    return Make(std::move(options)).RunOnce(1).value();
  }
  /// A trainer of its own, for so many rounds of a second; `begin` is called in the fifth.
  void RunFor(
      int rounds, const TrainerOptions& options, const std::function<void()>& begin = [] {}) {
    int round = 0;
    stop = [this, rounds, &round, &begin] {
      clock_.Advance(1s);
      if (++round == 5) begin();
      return round >= rounds;
    };
    Make(options).RunContinuously(1);
  }
  /// Settled forecasts of the model in use, of so many windows that follow those before.
  void FeedForecasts(int count, double error) {
    for (int i = 0; i < count; ++i, ++forecast_window_) {
      wire::ForecastRecord record;
      record.forecast = {.link = "demo/a",
                         .made_at = At(5 * (forecast_window_ + 1)),
                         .window_length = 5s,
                         .target = "packets",
                         .horizons = {{.target_start = At(5 * (forecast_window_ + 1)),
                                       .quantiles = std::vector<double>(forecast::kQuantileCount, 1)}},
                         .model_version = Current()};
      record.settled = {{.target_start = At(5 * forecast_window_),
                         .actual = 100,
                         .median = 100 - error,
                         .persistence = 90,
                         .had_model = true}};
      support::Send(bus_, names_.forecasts, wire::Encode(record), "demo/a");
    }
  }
  const model_store::ModelFolder& folder() {
    folder_ = std::make_unique<model_store::ModelFolder>(root_);
    return *folder_;
  }

  base::ManualClock clock_{At(1e6)};
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  support::FakeLearner learner_;
  support::FakeLearner trees_;
  bool with_trees_ = false;
  int forecast_window_ = 0;
  TrainerProgress progress_;  // as it was told last
  support::Lines lines_;
  fs::path root_;
  std::unique_ptr<model_store::ModelFolder> folder_;
  std::function<bool()> stop = [] { return false; };
};

}  // namespace flowcast::services
