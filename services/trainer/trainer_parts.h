// What the trainer is made of, is told, and tells.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/feature/schema.h"
#include "libs/model_store/model_folder.h"
#include "libs/training/example_store.h"
#include "libs/training/learner.h"
#include "libs/training/retrain_rule.h"

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
  std::uint32_t sequence_length = 0;  // windows; sequences of others are left out. 0: as the first has
  NetworkFacts network;
  std::string model_name = "default";
  std::uint64_t seed = 1;
  std::string recipe;            // what else decides what comes of a training, as one line
  training::StoreLimits limits;  // its horizons are the data set's
  training::RetrainOptions retrain;
  std::size_t keep_models = 8;  // versions on models.v1
};

/// A step of a training: what a bar shows and a line of the log says.
struct TrainingStep {
  std::string forecaster;
  std::string name = "epoch";
  int number = 0;
  int of = 0;  // at most; 0: not known
  double training_loss = 0;
  double validation_loss = 0;
  double seconds = 0;
};

/// "lstm epoch   3  training loss 0.12345  validation loss 0.23456  0.52 s"
std::string TextOf(const TrainingStep& step);

/// Of a topic that is read.
struct Lag {
  std::uint64_t unread = 0;                  // records that wait
  std::chrono::milliseconds produced_at{0};  // newest of the records read, since the Unix epoch
};

/// How far it is. Records read = kept + left_out + refused.
struct TrainerProgress {
  Lag of_sequences;
  Lag of_forecasts;
  std::uint64_t kept = 0;         // sequences that were new
  std::uint64_t left_out = 0;     // of another shape, there already, or too old
  std::uint64_t refused = 0;      // records that are no sequence of ours
  std::uint64_t sampled_out = 0;  // of those kept: not learned from, for there are too many
  std::size_t sequences = 0;      // in memory now
  std::size_t links = 0;
  std::uint64_t epochs = 0;
  double share = 0;                                            // of the training that is going on
  std::uint64_t published = 0;                                 // models that came into use
  std::uint64_t lost = 0;                                      // models that were no better
  std::uint64_t gave_up = 0;                                   // trainings without enough to learn from
  std::uint64_t deleted = 0;                                   // old versions
  double last_training_seconds = 0;                            // of the last training
  base::EventTime last_published_at = base::kBeginningOfTime;  // by the clock
  std::optional<model_store::Manifest> last;                   // that came into use
  std::optional<double> live_error;  // of the model in use, first target, as a share of persistence's
  std::optional<double> drift;       // of the target that has the most
};

struct TrainerParts {
  bus::Bus& bus;
  std::vector<training::Forecaster> forecasters;  // that a model gets, in the order they are trained
  training::PredictorLoaders loaders;             // of all that a model may have
  const model_store::ModelFolder& folder;
  base::Clock& clock;
  base::Log log;
  std::function<bool()> stop_requested;
  /// Called after each poll of Kafka about once a second, after each step and after each training.
  std::function<void(const TrainerProgress&)> progress = [](const TrainerProgress&) {};
  /// Shows a step to somebody who watches; empty: it is a line of the log.
  std::function<void(const TrainingStep&)> show = {};
};

}  // namespace flowcast::services
