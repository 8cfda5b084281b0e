// Reads sequences, trains, keeps and publishes models.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/model_store/model_folder.h"
#include "libs/topics/topics.h"
#include "libs/training/example_store.h"
#include "libs/training/learner.h"

namespace flowcast::services {

/// What the manifest says of the network; the learner has the same.
struct NetworkFacts {
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  double dropout = 0;
  std::int64_t head_size = 0;
  bool attention = false;
  int members = 1;
};

struct TrainerOptions {
  training::DatasetOptions dataset;
  feature::Schema schema = feature::Schema::Default();  // sequences of others are refused
  NetworkFacts network;
  std::string model_name = "default";
  std::uint64_t seed = 1;
  std::size_t most_per_link = 50'000;
  base::Duration every = std::chrono::hours(1);
};

/// How far it is. Records read = kept + left_out + refused.
struct TrainerProgress {
  std::uint64_t kept = 0;      // sequences that were new
  std::uint64_t left_out = 0;  // of another shape, or there already
  std::uint64_t refused = 0;   // records that are no sequence of ours
  std::size_t sequences = 0;   // in memory now
  std::size_t links = 0;
  std::uint64_t epochs = 0;
  std::uint64_t published = 0;                                 // models
  std::uint64_t gave_up = 0;                                   // trainings without enough to learn from
  double last_training_seconds = 0;                            // of the last model published
  base::EventTime last_published_at = base::kBeginningOfTime;  // by the clock
  std::optional<model_store::Manifest> last;
};

struct TrainerParts {
  bus::Consumer& consumer;
  bus::Producer& producer;
  training::Learner& learner;
  training::PredictorLoader load;
  const model_store::ModelFolder& folder;
  base::Clock& clock;
  base::Log log;
  std::function<bool()> stop_requested;
  /// Called after each poll of Kafka about once a second, after each epoch and after each training.
  std::function<void(const TrainerProgress&)> progress = [](const TrainerProgress&) {};
};

class TrainerService {
 public:
  TrainerService(const TrainerParts& parts, const TrainerOptions& options, const topics::Names& names)
      : parts_(parts), options_(options), names_(names), store_(options.most_per_link) {}

  /// Reads what sequences.v1 holds now, trains once and publishes. A training that is asked to stop leaves a
  /// checkpoint, which the next one goes on from, and publishes nothing. Throws base::RuntimeError when
  /// there is too little to learn from, bus::BusError when Kafka does not take the model.
  std::optional<model_store::Manifest> RunOnce(std::int32_t partitions);

  /// Goes on until a stop is asked for: trains when there is enough for the first time, then
  /// whenever `every` has passed and something new came.
  void RunContinuously(std::int32_t partitions);

 private:
  void Take(const bus::InRecord& record);
  /// Where a training was when it was stopped: how far its sequences go, and the learner's own bytes.
  struct Checkpoint {
    base::EventTime newest = base::kEndOfTime;
    std::string state;
  };

  std::optional<model_store::Manifest> TrainAndPublish();
  /// Nothing kept, or too old to go on from: the default.
  Checkpoint ReadCheckpoint() const;
  void Keep(const Checkpoint& checkpoint) const;
  /// `seconds` gets how long each epoch took.
  training::TrainedNetwork TrainOn(const training::Dataset& dataset, Checkpoint checkpoint,
                                   std::map<int, double>& seconds);
  model_store::Metrics Evaluate(const training::Dataset& dataset, const std::string& weights) const;
  model_store::Manifest Describe(const training::Dataset& dataset,
                                 const training::TrainedNetwork& trained) const;
  void Publish(const model_store::Model& model);
  void Report();
  void ReportEverySecond();

  TrainerParts parts_;
  TrainerOptions options_;
  topics::Names names_;
  training::ExampleStore store_;
  TrainerProgress progress_;
  base::Duration report_at_{};
};

}  // namespace flowcast::services
