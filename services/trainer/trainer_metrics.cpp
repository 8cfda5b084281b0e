// From progress to names.
#include "services/trainer/trainer_metrics.h"

namespace flowcast::services {
namespace {

using Facts = TrainerProgress;
using Table = telemetry::Table<Facts>;

/// Of the last model published; absent before.
Table::Number OfLast(std::function<std::optional<double>(const model_store::Manifest&)> number) {
  return [number = std::move(number)](const Facts& facts) {
    return facts.last ? number(*facts.last) : std::nullopt;
  };
}

Table::Number UnreadOf(Lag TrainerProgress::*lag) {
  return [lag](const Facts& facts) { return (facts.*lag).unread; };
}

Table::Number ReadAtOf(Lag TrainerProgress::*lag) {
  return [lag](const Facts& facts) -> std::optional<double> {
    const auto at = (facts.*lag).produced_at;
    if (at.count() == 0) return std::nullopt;
    return std::chrono::duration<double>(at).count();
  };
}

/// One forecaster's error on the validation part, at the nearest horizon.
Table::Number ErrorOf(const std::string& name) {
  return OfLast([name](const model_store::Manifest& manifest) -> std::optional<double> {
    const model_store::ForecasterRecord* record = manifest.forecaster(name);
    if (record == nullptr || record->metrics.empty()) return std::nullopt;
    return record->metrics.begin()->second.mae;
  });
}

std::optional<std::vector<std::string>> ModelTexts(const Facts& facts) {
  if (!facts.last) return std::nullopt;
  return model_store::LabelsOf(*facts.last);
}

void AddModel(Table& table) {
  table
      .Info("flowcast_trainer_model_info",
            "The model that this trainer brought into use last; absent before.", model_store::LabelNames(),
            ModelTexts)
      .Gauge("flowcast_trainer_model_published_timestamp_seconds", "When it was published.",
             [](const Facts& facts) { return telemetry::TimestampSeconds(facts.last_published_at); })
      .Gauge("flowcast_trainer_model_trained_until_timestamp_seconds",
             "End of the newest window that it has seen, in event time.",
             OfLast([](const auto& manifest) { return telemetry::TimestampSeconds(manifest.trained_until); }))
      .Gauge("flowcast_trainer_model_training_duration_seconds", "How long the last training took.",
             [](const Facts& facts) {
               return facts.published + facts.lost > 0 ? std::optional(facts.last_training_seconds)
                                                       : std::nullopt;
             })
      .Gauge("flowcast_trainer_model_examples", "Examples that it was trained and validated on.",
             OfLast([](const auto& manifest) {
               return static_cast<double>(manifest.training_examples + manifest.validation_examples);
             }))
      .Gauge(
          "flowcast_trainer_model_absolute_error",
          "Mean absolute error on the validation part, at the nearest horizon, in the unit of the first "
          "target "
          "a window: of the mean of its forecasters, of each of them, and of persistence.",
          "forecast",
          {{"model", OfLast([](const auto& manifest) { return manifest.metrics.mae; })},
           {"lstm", ErrorOf("lstm")},
           {"xgboost", ErrorOf("xgboost")},
           {"persistence", OfLast([](const auto& manifest) { return manifest.metrics.mae_persistence; })}});
}

Table MakeTable() {
  Table table;
  table
      .Counter(
          "flowcast_trainer_records_total",
          "Records of sequences.v1 that were read: sequences that are kept, those left out because another "
          "of their link and time is there, their shape is another or they are too old, and records that are "
          "no sequence of ours.",
          "result",
          {{"kept", [](const Facts& facts) { return facts.kept; }},
           {"left_out", [](const Facts& facts) { return facts.left_out; }},
           {"refused", [](const Facts& facts) { return facts.refused; }}})
      .Gauge("flowcast_trainer_unread_records",
             "Records that wait in Kafka behind those that were read; of forecasts.v1 what came since the "
             "trainer began.",
             "topic",
             {{"sequences", UnreadOf(&TrainerProgress::of_sequences)},
              {"forecasts", UnreadOf(&TrainerProgress::of_forecasts)}})
      .Gauge("flowcast_trainer_read_timestamp_seconds",
             "When the newest record that was read had been written to Kafka; time() less this is how far "
             "the service is behind, while records come and no training goes on.",
             "topic",
             {{"sequences", ReadAtOf(&TrainerProgress::of_sequences)},
              {"forecasts", ReadAtOf(&TrainerProgress::of_forecasts)}})
      .Gauge("flowcast_trainer_sequences", "Sequences in memory that are learned from; the oldest go first.",
             [](const Facts& facts) { return facts.sequences; })
      .Gauge("flowcast_trainer_links", "Links that they are of.",
             [](const Facts& facts) { return facts.links; })
      .Counter(
          "flowcast_trainer_sampled_out_sequences_total",
          "Of the sequences kept, those that are not learned from because --max-memory allows only a sample.",
          [](const Facts& facts) { return facts.sampled_out; })
      .Counter("flowcast_trainer_epochs_total", "Epochs of the LSTM and forests of trees trained.",
               [](const Facts& facts) { return facts.epochs; })
      .Gauge("flowcast_trainer_progress_ratio",
             "How far the training is, of all its epochs and forests; it may end early. 0 between trainings.",
             [](const Facts& facts) { return facts.share; })
      .Counter(
          "flowcast_trainer_trainings_total",
          "Trainings, by what came of them: a model that came into use (published), one that was no better "
          "than the one in use (lost), or too little to learn from.",
          "result",
          {{"published", [](const Facts& facts) { return facts.published; }},
           {"lost", [](const Facts& facts) { return facts.lost; }},
           {"gave_up", [](const Facts& facts) { return facts.gave_up; }}})
      .Counter("flowcast_trainer_deleted_models_total", "Old versions that were deleted from models.v1.",
               [](const Facts& facts) { return facts.deleted; })
      .Gauge("flowcast_trainer_live_error_ratio",
             "Error of the published forecasts of the first target with the model in use, as a share of "
             "persistence's, over the last 200 windows that this trainer followed.",
             [](const Facts& facts) { return facts.live_error; })
      .Gauge("flowcast_trainer_drift_ratio",
             "That error over what it was at first, of the target where that is the most; above --drift the "
             "trainer learns anew.",
             [](const Facts& facts) { return facts.drift; });
  AddModel(table);
  return table;
}

}  // namespace

const telemetry::Table<TrainerProgress>& TrainerMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
