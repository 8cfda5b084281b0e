// Figures to JSON.
#include "tools/flowcast/report/report_data.h"

#include <cmath>

#include "libs/base/error.h"

namespace flowcast::report {
namespace {

using Json = nlohmann::ordered_json;

/// Scores of predictions, added up.
struct Tally {
  std::uint64_t scored = 0;
  double error = 0;
  double error_persistence = 0;
  std::uint64_t covered = 0;

  void Add(const std::vector<Prediction>& predictions) {
    for (const Prediction& prediction : predictions) {
      ++scored;
      error += std::abs(prediction.actual - prediction.median);
      error_persistence += std::abs(prediction.actual - prediction.persistence);
      covered += prediction.low <= prediction.actual && prediction.actual <= prediction.high ? 1 : 0;
    }
  }
  Json Mean(double sum) const {
    return scored == 0 ? Json(nullptr) : Json(sum / static_cast<double>(scored));
  }
  void Write(Json& json) const {
    json["mae"] = Mean(error);
    json["mae_persistence"] = Mean(error_persistence);
    json["skill_percent"] =
        error_persistence > 0 ? Json(100 * (1 - error / error_persistence)) : Json(nullptr);
    json["coverage_90"] = Mean(static_cast<double>(covered));
    json["scored"] = scored;
  }
};

double Seconds(base::EventTime time) { return base::ToUnixSeconds(time); }

std::size_t CountAlerts(const Run& run, alert::State state) {
  std::size_t count = 0;
  for (const auto& [name, link] : run.links) {
    for (const alert::Alert& alert : link.alerts) count += alert.state == state ? 1 : 0;
  }
  return count;
}

/// A firing alert and, where it came, its resolution as one object.
Json Alerts(const std::vector<alert::Alert>& alerts) {
  Json list = Json::array();
  for (const alert::Alert& alert : alerts) {
    if (!alert.fired_at) continue;  // it has not fired yet, or never did
    if (alert.state == alert::State::kResolved) {
      if (!list.empty()) list.back()["resolved"] = Seconds(alert.resolved_at);
      continue;
    }
    list.push_back({{"id", alert.fingerprint},
                    {"summary", alert.summary},
                    {"fired", Seconds(alert.started_at)},
                    {"resolved", nullptr},
                    {"value", alert.predicted},
                    {"threshold", alert.threshold},
                    {"severity", alert.severity}});
  }
  return list;
}

Json Weights(const std::vector<forecast::ExpertOpinion>& opinions) {
  Json weights = Json::object();
  for (const forecast::ExpertOpinion& opinion : opinions) weights[opinion.name] = opinion.weight;
  return weights;
}

Json Model(const std::optional<model_store::Manifest>& model) {
  if (!model) return nullptr;
  const model_store::ForecasterRecord shown = ShownForecaster(*model);
  Json history = Json::array();
  for (const model_store::EpochRecord& epoch : shown.history) {
    history.push_back({{"epoch", epoch.number},
                       {"training_loss", epoch.training_loss},
                       {"validation_loss", epoch.validation_loss},
                       {"seconds", epoch.seconds}});
  }
  return {{"version", model->version},
          {"trained_until", Seconds(model->trained_until)},
          {"epochs", shown.history.empty() ? 0 : shown.history.back().number},
          {"best_epoch", shown.best_epoch},
          {"parameters", shown.parameters},
          {"layers", model->layers},
          {"hidden", model->hidden},
          {"sequence_length", model->sequence_length},
          {"features", model->features.size()},
          {"history", history}};
}

Json Threshold(const Run& run, const ReportFacts& facts, const std::string& link) {
  if (!facts.threshold.Fits(facts.target)) return nullptr;
  const auto* const known = run.model ? run.model->percentiles_of(facts.target) : nullptr;
  const auto value = alert::Resolve(facts.threshold, link, run.window_length, facts.capacities,
                                    known == nullptr ? alert::PercentilesByLink{} : *known);
  return value ? Json(*value) : Json(nullptr);
}

Json Link(const Run& run, const ReportFacts& facts, const std::string& name, const LinkRun& link) {
  Json json{{"link", name}, {"threshold", Threshold(run, facts, name)}};
  Tally tally;
  tally.Add(link.predictions);
  tally.Write(json);
  json["actual"] = Json::array();
  for (const Load& load : link.actual) json["actual"].push_back({Seconds(load.start), load.value});
  json["forecast"] = Json::array();
  for (const Prediction& p : link.predictions)
    json["forecast"].push_back({Seconds(p.start), p.median, p.low, p.high});
  json["weights"] = Weights(link.opinions);
  json["alerts"] = Alerts(link.alerts);
  return json;
}

}  // namespace

Json Summary(const Run& run, const ReportFacts& facts) {
  Json json{{"packets", run.packets},
            {"windows", run.windows},
            {"sequences", run.sequences},
            {"model_version", run.model ? Json(run.model->version) : Json(nullptr)}};
  Tally tally;
  for (const auto& [name, link] : run.links) tally.Add(link.predictions);
  tally.Write(json);
  json["alerts_fired"] = CountAlerts(run, alert::State::kFiring);
  json["alerts_resolved"] = CountAlerts(run, alert::State::kResolved);
  json["seconds"] = facts.seconds;
  return json;
}

Json PageData(const Run& run, const ReportFacts& facts) {
  Json json{{"title", facts.title},
            {"generated_at", facts.generated_at},
            {"flowcast_version", FLOWCAST_VERSION},
            {"window_seconds", base::ToSeconds(run.window_length)},
            {"target", facts.target},
            {"horizon_windows", run.horizon_windows},
            {"interval",
             {{"low", forecast::kQuantileLevels[0]},
              {"high", forecast::kQuantileLevels[forecast::kQuantileCount - 1]}}},
            {"summary", Summary(run, facts)},
            {"model", Model(run.model)},
            {"links", Json::array()}};
  for (const auto& [name, link] : run.links) json["links"].push_back(Link(run, facts, name, link));
  return json;
}

}  // namespace flowcast::report
