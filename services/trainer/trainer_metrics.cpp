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

std::optional<std::vector<std::string>> ModelTexts(const Facts& facts) {
  if (!facts.last) return std::nullopt;
  return std::vector<std::string>{facts.last->name, facts.last->version, facts.last->target};
}

void AddModel(Table& table) {
  table
      .Info("flowcast_trainer_model_info", "The model that was published last; absent before.",
            {"name", "version", "target"}, ModelTexts)
      .Gauge("flowcast_trainer_model_published_timestamp_seconds", "When it was published.",
             [](const Facts& facts) { return telemetry::TimestampSeconds(facts.last_published_at); })
      .Gauge("flowcast_trainer_model_trained_until_timestamp_seconds",
             "End of the newest window that it has seen, in event time.",
             OfLast([](const auto& manifest) { return telemetry::TimestampSeconds(manifest.trained_until); }))
      .Gauge("flowcast_trainer_model_training_duration_seconds", "How long it took to train.",
             [](const Facts& facts) {
               return facts.last ? std::optional(facts.last_training_seconds) : std::nullopt;
             })
      .Gauge("flowcast_trainer_model_examples", "Examples that it was trained and validated on.",
             OfLast([](const auto& manifest) {
               return static_cast<double>(manifest.training_examples + manifest.validation_examples);
             }))
      .Gauge(
          "flowcast_trainer_model_absolute_error",
          "Its mean absolute error on the validation part, and that of persistence, in packets or bytes a "
          "window as "
          "the target is.",
          "forecast",
          {{"model", OfLast([](const auto& manifest) { return manifest.metrics.mae; })},
           {"persistence", OfLast([](const auto& manifest) { return manifest.metrics.mae_persistence; })}});
}

Table MakeTable() {
  Table table;
  table
      .Counter(
          "flowcast_trainer_records_total",
          "Records of sequences.v1 that were read: sequences that are kept, those left out because another "
          "of "
          "their link and time is there or their shape is another, and records that are no sequence of ours.",
          "result",
          {{"kept", [](const Facts& facts) { return facts.kept; }},
           {"left_out", [](const Facts& facts) { return facts.left_out; }},
           {"refused", [](const Facts& facts) { return facts.refused; }}})
      .Gauge("flowcast_trainer_sequences", "Sequences in memory; the oldest of a link go first.",
             [](const Facts& facts) { return facts.sequences; })
      .Gauge("flowcast_trainer_links", "Links that they are of.",
             [](const Facts& facts) { return facts.links; })
      .Counter("flowcast_trainer_epochs_total", "Epochs trained.",
               [](const Facts& facts) { return facts.epochs; })
      .Counter("flowcast_trainer_trainings_total",
               "Trainings, by what came of them: a model that was published, or too little to learn from.",
               "result",
               {{"published", [](const Facts& facts) { return facts.published; }},
                {"gave_up", [](const Facts& facts) { return facts.gave_up; }}});
  AddModel(table);
  return table;
}

}  // namespace

const telemetry::Table<TrainerProgress>& TrainerMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
