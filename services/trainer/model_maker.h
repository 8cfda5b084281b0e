// Trains the forecasters of a model one after the other, and describes what came of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "services/trainer/trainer_parts.h"

namespace flowcast::services {

struct MadeModel {
  model_store::Model model;                                  // without a decision
  base::EventTime newest = base::kEndOfTime;                 // sequence that it was made with
  base::EventTime validation_from = base::kBeginningOfTime;  // sequences from here on it was validated on
};

class ModelMaker {
 public:
  /// All must outlive it. `report` is called after each step.
  ModelMaker(const TrainerParts& parts, const TrainerOptions& options, TrainerProgress& progress,
             std::function<void()> report)
      : parts_(parts), options_(options), progress_(progress), report_(std::move(report)) {}

  /// Nothing when it was asked to stop: a checkpoint is then kept, which the next call goes on from. Throws
  /// base::RuntimeError when there is too little to learn from.
  std::optional<MadeModel> Make(const training::ExampleStore& store);

 private:
  /// Where a training was when it was stopped: how far its sequences go, and one learner's own bytes.
  struct Checkpoint {
    base::EventTime newest = base::kEndOfTime;
    std::string forecaster;
    std::string state;
  };
  struct Trained {
    training::TrainedNetwork network;
    model_store::ForecasterRecord record;
  };

  /// Nothing kept, or too old to go on from: the default.
  Checkpoint ReadCheckpoint(const training::ExampleStore& store) const;
  void Keep(const Checkpoint& checkpoint) const;
  /// `newest` is the sequence that the data set ends with.
  Trained TrainOne(std::size_t number, const training::Dataset& dataset, base::EventTime newest,
                   const Checkpoint& from);
  void Tell(const training::Forecaster& forecaster, const training::EpochResult& epoch, double seconds) const;
  void Describe(const training::ExampleStore& store, const training::Dataset& dataset,
                model_store::Manifest& manifest) const;
  void Score(const training::ExampleStore& store, base::EventTime from, model_store::Model& model) const;

  const TrainerParts& parts_;
  const TrainerOptions& options_;
  TrainerProgress& progress_;
  std::function<void()> report_;
};

}  // namespace flowcast::services
