// From counters to names.
#include "services/inference/inference_metrics.h"

#include "libs/slice/slice_metrics.h"
#include "services/inference/link_metrics.h"

namespace flowcast::services {
namespace {

using Facts = InferenceFacts;
using Table = telemetry::Table<Facts>;

Table::Number Count(std::uint64_t InferenceCounters::*member) {
  return [member](const Facts& facts) { return facts.task.counters().*member; };
}

Table::Number CountAlerts(std::uint64_t AlertCounters::*member) {
  return [member](const Facts& facts) { return facts.task.alert_counters().*member; };
}

Table::Number CountRefused(std::uint64_t RefusedSequences::*member) {
  return [member](const Facts& facts) { return facts.task.counters().refused.*member; };
}

std::optional<double> TrainedUntil(const Facts& facts) {
  const LiveModel* model = facts.models.current();
  if (model == nullptr) return std::nullopt;
  return telemetry::TimestampSeconds(model->manifest.trained_until);
}

std::optional<std::vector<std::string>> ModelTexts(const Facts& facts) {
  const LiveModel* model = facts.models.current();
  if (model == nullptr) return std::nullopt;
  return model_store::LabelsOf(model->manifest);
}

using forecast::LiveScores;
using forecast::ScoreSums;

/// A row a target and horizon; those without a number are left out.
Table::RowsOf ByHorizon(std::map<int, ScoreSums> (*sums_of)(const LiveScores&),
                        std::function<std::optional<double>(const ScoreSums&)> number) {
  return [sums_of, number = std::move(number)](const Facts& facts) {
    Table::Rows rows;
    for (const auto& [target, scores] : facts.task.scores()) {
      for (const auto& [horizon, sums] : sums_of(scores)) {
        if (const auto known = number(sums)) rows.push_back({{target, std::to_string(horizon)}, *known});
      }
    }
    return rows;
  };
}

std::map<int, ScoreSums> All(const LiveScores& scores) { return scores.all(); }
std::map<int, ScoreSums> Recent(const LiveScores& scores) { return scores.Recent(); }

Table::Rows ErrorsByHorizon(const Facts& facts) {
  Table::Rows rows;
  for (const auto& [target, scores] : facts.task.scores()) {
    for (const auto& [horizon, sums] : scores.all()) {
      rows.push_back({{target, std::to_string(horizon), "published"}, sums.error});
      rows.push_back({{target, std::to_string(horizon), "persistence"}, sums.persistence_error});
    }
  }
  return rows;
}

void AddScores(Table& table) {
  const std::vector<std::string> labels{"target", "horizon"};
  table
      .Counter("flowcast_inference_horizon_settled_forecasts_total",
               "Forecasts whose truth has come, of all links, by horizon in windows.", labels,
               ByHorizon(All, [](const ScoreSums& sums) { return static_cast<double>(sums.settled); }))
      .Counter("flowcast_inference_horizon_covered_forecasts_total",
               "Of these, those whose truth lay between the quantiles 0.05 and 0.95.", labels,
               ByHorizon(All, [](const ScoreSums& sums) { return static_cast<double>(sums.covered); }))
      .Counter("flowcast_inference_horizon_absolute_error_total",
               "Their summed absolute errors, and those of persistence for the same windows, in the target's "
               "unit a window; with a model or without.",
               {"target", "horizon", "forecast"}, ErrorsByHorizon)
      .Gauge(
          "flowcast_inference_live_skill_ratio",
          "1 less the error of what was published over that of persistence, over the last 10,000 to 20,000 "
          "settled forecasts of a horizon, all links together: those with much load count for more.",
          labels, ByHorizon(Recent, [](const ScoreSums& sums) { return sums.skill(); }))
      .Gauge("flowcast_inference_live_coverage_ratio",
             "Share of truths between the quantiles 0.05 and 0.95, over the same forecasts; promised is 0.9.",
             labels, ByHorizon(Recent, [](const ScoreSums& sums) { return sums.coverage(); }));
}

void AddSequences(Table& table) {
  table
      .Counter("flowcast_inference_sequences_total",
               "Sequences read. They add up to those forecast from, refused, stale, astray and refolded, "
               "but for a batch in flight.",
               Count(&InferenceCounters::sequences))
      .Counter("flowcast_inference_refused_sequences_total",
               "Records that are no sequence of ours, or of another version or feature schema.", "reason",
               {{"not_ours", CountRefused(&RefusedSequences::not_ours)},
                {"version", CountRefused(&RefusedSequences::version)},
                {"inconsistent", CountRefused(&RefusedSequences::inconsistent)},
                {"schema", CountRefused(&RefusedSequences::schema)}})
      .Counter("flowcast_inference_stale_sequences_total",
               "Sequences not newer than the one before of their link.", Count(&InferenceCounters::stale))
      .Counter(
          "flowcast_inference_astray_sequences_total",
          "Sequences more than a day from the one before of their link, of which the first is not followed.",
          Count(&InferenceCounters::astray))
      .Counter("flowcast_inference_refolded_sequences_total",
               "Sequences read again after a restart or a rebalance to be where the service was; their "
               "forecasts are "
               "out already.",
               Count(&InferenceCounters::refolded))
      .Counter("flowcast_inference_state_records_total",
               "Records written to state.v1, not all committed yet.",
               Count(&InferenceCounters::state_records))
      .Gauge("flowcast_inference_links", "Links that are known.",
             [](const Facts& facts) { return static_cast<double>(facts.task.link_count()); });
}

void AddForecasts(Table& table) {
  table
      .Gauge("flowcast_inference_window_end_timestamp_seconds",
             "End of the newest window that was forecast from, in event time; time() less this is how old "
             "the newest forecasts are, from end to end, with live captures.",
             [](const Facts& facts) { return telemetry::TimestampSeconds(facts.task.newest_end()); })
      .Histogram("flowcast_inference_forecast_delay_seconds",
                 "From a window's end, in event time, to its forecast being made, by the host's clock: the "
                 "lag from end to end with live captures, meaningless with old files. The commit comes on "
                 "top, some 30 ms.",
                 [](const Facts& facts) { return facts.task.delays(); })
      .Counter("flowcast_inference_forecast_sequences_total", "Sequences forecast from.",
               Count(&InferenceCounters::forecast))
      .Counter("flowcast_inference_forecasts_total", "Forecasts made: one a sequence and target.",
               Count(&InferenceCounters::forecasts))
      .Counter("flowcast_inference_model_forecasts_total", "Of these, with a value of the model in them.",
               Count(&InferenceCounters::with_model))
      .Counter("flowcast_inference_settled_forecasts_total", "Forecasts whose truth has come, by horizon.",
               Count(&InferenceCounters::settled))
      .Counter(
          "flowcast_inference_ignored_values_total",
          "Values that a forecaster was told and did not use: of a window, above 1e18 or not finite; of a "
          "model, infinite or of a name that this version does not know.",
          Count(&InferenceCounters::ignored_values))
      .Counter(
          "flowcast_inference_clipped_values_total",
          "Values that intervals bounded: errors and quantiles of more than 100 times the usual error, and "
          "quantiles of a model that are not in order or not finite, which are not used.",
          Count(&InferenceCounters::clipped_values))
      .Counter("flowcast_inference_scored_forecasts_total",
               "Of these, those of the first target and the nearest horizon made with a value of the model.",
               [](const Facts& facts) { return facts.task.scored(); })
      .Counter(
          "flowcast_inference_intervals_total",
          "Settled forecasts of the nearest horizon, by whether the truth lay between the quantiles 0.05 and "
          "0.95. The covered ones should be 90 %.",
          "truth",
          {{"covered", [](const Facts& facts) { return facts.task.covered(); }},
           {"outside", [](const Facts& facts) { return facts.task.intervals() - facts.task.covered(); }}})
      .Counter("flowcast_inference_absolute_error_total",
               "Summed absolute errors of the scored forecasts, and of persistence for the same windows, in "
               "the first target's unit a window. Divided by the scored forecasts: the mean absolute error.",
               "forecast",
               {{"published", [](const Facts& facts) { return facts.task.absolute_error(); }},
                {"persistence", [](const Facts& facts) { return facts.task.absolute_error_persistence(); }}});
}

Table MakeTable() {
  Table table;
  AddSequences(table);
  AddForecasts(table);
  AddScores(table);
  AddLinkMetrics(table);
  table
      .Counter("flowcast_inference_json_records_total",
               "Forecasts written to forecasts-json.v1 (--json-mirror).",
               Count(&InferenceCounters::json_records))
      .Counter("flowcast_inference_alerts_total", "Messages about alerts sent, by what they tell.", "state",
               {{"pending", CountAlerts(&AlertCounters::pending)},
                {"firing", CountAlerts(&AlertCounters::fired)},
                {"resolved", CountAlerts(&AlertCounters::resolved)}})
      .Gauge("flowcast_inference_active_alerts",
             "Alerts that are pending or firing now, counted every ten seconds.", "state",
             {{"pending", [](const Facts& facts) { return facts.task.active_alerts().pending; }},
              {"firing", [](const Facts& facts) { return facts.task.active_alerts().firing; }}})
      .Counter("flowcast_inference_silenced_alerts_total", "Of these, those about silenced alerts.",
               CountAlerts(&AlertCounters::silenced))
      .Counter(
          "flowcast_inference_rules_reloads_total",
          "Changes of the rules file seen, by what came of them; refused ones leave the rules as they were.",
          "result",
          {{"taken", [](const Facts& facts) { return facts.rules.counters().taken; }},
           {"refused", [](const Facts& facts) { return facts.rules.counters().refused; }}})
      .Gauge("flowcast_inference_rules", "Alert rules in force.",
             [](const Facts& facts) { return static_cast<double>(facts.rules.current()->rules().size()); })
      .Info("flowcast_inference_model_info", "The model in use; absent without one.",
            model_store::LabelNames(), ModelTexts)
      .Gauge("flowcast_inference_model_trained_until_timestamp_seconds",
             "End of the newest window that the model in use was trained on, in event time.", TrainedUntil)
      .Counter("flowcast_inference_refused_models_total", "Models that did not fit or failed their trial.",
               [](const Facts& facts) { return facts.models.refused(); });
  slice::AddSliceMetrics<Facts>(
      table, "flowcast_inference_",
      [](const Facts& facts) -> const slice::SliceCounters& { return facts.slices; });
  return table;
}

}  // namespace

const telemetry::Table<InferenceFacts>& InferenceMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
