// Reads sequences, decides when to learn, keeps and publishes models.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/topics/topics.h"
#include "libs/training/drift_watch.h"
#include "services/trainer/model_maker.h"

namespace flowcast::services {

class TrainerService {
 public:
  TrainerService(const TrainerParts& parts, const TrainerOptions& options, const topics::Names& names);
  TrainerService(const TrainerService&) = delete;
  TrainerService& operator=(const TrainerService&) = delete;

  /// Reads what sequences.v1 holds now, trains once and publishes. A training that is asked to stop leaves a
  /// checkpoint, which the next one goes on from, and publishes nothing. Throws base::RuntimeError when
  /// there is too little to learn from, bus::BusError when Kafka does not take the model. The manifest says
  /// whether the model came into use.
  std::optional<model_store::Manifest> RunOnce(std::int32_t partitions);

  /// Goes on until a stop is asked for: trains when there is enough for the first time, then whenever
  /// training::DueFor says so. What a trainer of the same settings left in the model folder counts as its own
  /// last training and drift, if the model in use is in the folder too. Follows forecasts.v1 from now on, for
  /// the drift, and models.v1, so that the folder's `current` is the version in use, whoever pointed at it.
  void RunContinuously(std::int32_t partitions);

 private:
  void Take(const bus::InRecord& record);
  void TakePointer(const bus::InRecord& record);
  void FollowCurrent();
  void FollowForecasts();
  void TakeForecast(const bus::InRecord& record);
  /// The watch of the target that has drifted the most.
  const training::DriftWatch& MostDrifted() const;
  /// What decides what comes of a training, as one line.
  std::string Settings() const;
  std::string NameOf(const training::Target& target) const;
  void Recall();
  void Memorize();
  std::optional<training::Reason> Due() const;
  std::optional<model_store::Manifest> TrainAndPublish(training::Reason reason);
  void Decide(const MadeModel& made, model_store::Decision& decision);
  /// Into a message.
  void Fit(model_store::Model& model) const;
  void Publish(const model_store::Model& model);
  void DeleteSurplus();
  void Report();
  void ReportEverySecond();

  TrainerParts parts_;
  TrainerOptions options_;
  topics::Names names_;
  std::unique_ptr<bus::Consumer> sequences_;
  std::unique_ptr<bus::Consumer> forecasts_;
  std::unique_ptr<bus::Consumer> models_;
  std::unique_ptr<bus::Producer> producer_;
  training::ExampleStore store_;
  std::vector<training::DriftWatch> drift_;  // by target
  TrainerProgress progress_;
  ModelMaker maker_;
  std::string pointed_at_;  // by models.v1
  std::string followed_;    // what the folder was told of that
  base::Duration report_at_{};
  base::Duration not_before_{};  // after a training that gave up
  // Since the last training:
  bool trained_ = false;
  base::Duration trained_at_{};
  std::uint64_t new_sequences_ = 0;
  base::EventTime learned_to_ = base::kBeginningOfTime;

  base::EventTime recalled_to_ = base::kBeginningOfTime;  // sequences up to here are not new
  base::Duration memorized_at_{};
};

}  // namespace flowcast::services
