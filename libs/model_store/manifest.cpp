// Manifest to and from JSON.
#include "libs/model_store/manifest.h"

#include <nlohmann/json.hpp>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"

namespace flowcast::model_store {
namespace {

using Json = nlohmann::ordered_json;

Json FromOptional(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> ToOptional(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

Json HistoryToJson(const std::vector<EpochRecord>& history) {
  Json json = Json::array();
  for (const EpochRecord& epoch : history) {
    json.push_back({{"epoch", epoch.number},
                    {"training_loss", epoch.training_loss},
                    {"validation_loss", epoch.validation_loss},
                    {"seconds", epoch.seconds}});
  }
  return json;
}

std::vector<EpochRecord> HistoryFromJson(const Json& json) {
  std::vector<EpochRecord> history;
  for (const Json& epoch : json) {
    history.push_back({epoch.at("epoch").get<int>(), epoch.at("training_loss").get<double>(),
                       epoch.at("validation_loss").get<double>(), epoch.at("seconds").get<double>()});
  }
  return history;
}

Json MetricsToJson(const Metrics& metrics) {
  return {{"count", metrics.count},
          {"mse", metrics.mse},
          {"mae", metrics.mae},
          {"rmse", metrics.rmse},
          {"mape", FromOptional(metrics.mape)},
          {"r2", FromOptional(metrics.r2)},
          {"mae_persistence", metrics.mae_persistence},
          {"skill", FromOptional(metrics.skill)}};
}

Metrics MetricsFromJson(const Json& json) {
  return {.count = json.at("count").get<std::uint64_t>(),
          .mse = json.at("mse").get<double>(),
          .mae = json.at("mae").get<double>(),
          .rmse = json.at("rmse").get<double>(),
          .mape = ToOptional(json.at("mape")),
          .r2 = ToOptional(json.at("r2")),
          .mae_persistence = json.at("mae_persistence").get<double>(),
          .skill = ToOptional(json.at("skill"))};
}

Json HorizonsToJson(const std::map<int, Metrics>& by_horizon) {
  Json horizons = Json::array();
  for (const auto& [windows, metrics] : by_horizon) {
    Json horizon{{"windows", windows}};
    horizon.update(MetricsToJson(metrics));
    horizons.push_back(std::move(horizon));
  }
  return horizons;
}

std::map<int, Metrics> HorizonsFromJson(const Json& json) {
  std::map<int, Metrics> by_horizon;
  for (const Json& horizon : json) by_horizon[horizon.at("windows").get<int>()] = MetricsFromJson(horizon);
  return by_horizon;
}

Json ForecasterToJson(const ForecasterRecord& forecaster) {
  return {{"name", forecaster.name},
          {"parameters", forecaster.parameters},
          {"best_epoch", forecaster.best_epoch},
          {"seconds", forecaster.seconds},
          {"history", HistoryToJson(forecaster.history)},
          {"metrics", HorizonsToJson(forecaster.metrics)}};
}

ForecasterRecord ForecasterFromJson(const Json& json) {
  return {.name = json.at("name").get<std::string>(),
          .parameters = json.at("parameters").get<std::int64_t>(),
          .best_epoch = json.at("best_epoch").get<int>(),
          .seconds = json.at("seconds").get<double>(),
          .history = HistoryFromJson(json.at("history")),
          .metrics = HorizonsFromJson(json.at("metrics"))};
}

Json FurtherToJson(const FurtherTarget& target) {
  Json forecasters = Json::array();
  for (const auto& [name, by_horizon] : target.forecasters)
    forecasters.push_back({{"name", name}, {"metrics", HorizonsToJson(by_horizon)}});
  return {{"target", target.name},
          {"metrics", MetricsToJson(target.metrics)},
          {"forecasters", std::move(forecasters)},
          {"target_percentiles", target.percentiles}};
}

FurtherTarget FurtherFromJson(const Json& json) {
  FurtherTarget target{
      .name = json.at("target").get<std::string>(),
      .metrics = MetricsFromJson(json.at("metrics")),
      .forecasters = {},
      .percentiles = json.at("target_percentiles").get<std::map<std::string, Percentiles>>()};
  for (const Json& forecaster : json.at("forecasters"))
    target.forecasters[forecaster.at("name").get<std::string>()] = HorizonsFromJson(forecaster.at("metrics"));
  return target;
}

Json DecisionToJson(const Decision& decision) {
  Json by_target = Json::object();
  for (const auto& [target, errors] : decision.by_target)
    by_target[target] = {{"error", errors.error}, {"error_before", errors.error_before}};
  return {{"trained_for", decision.trained_for},
          {"replaced", decision.replaced},
          {"reason", decision.reason},
          {"against", decision.against},
          {"examples", decision.examples},
          {"from_ns", base::ToUnixNanoseconds(decision.from)},
          {"until_ns", base::ToUnixNanoseconds(decision.until)},
          {"error", decision.error},
          {"error_before", decision.error_before},
          {"seen_before", decision.seen_before},
          {"by_target", std::move(by_target)}};
}

std::map<std::string, TargetErrors> ByTargetFromJson(const Json& json) {
  std::map<std::string, TargetErrors> by_target;
  if (!json.contains("by_target")) return by_target;  // of a version before
  for (const auto& [target, errors] : json.at("by_target").items())
    by_target[target] = {errors.at("error").get<double>(), errors.at("error_before").get<double>()};
  return by_target;
}

Decision DecisionFromJson(const Json& json) {
  return {.trained_for = json.at("trained_for").get<std::string>(),
          .replaced = json.at("replaced").get<bool>(),
          .reason = json.at("reason").get<std::string>(),
          .against = json.at("against").get<std::string>(),
          .examples = json.at("examples").get<std::uint64_t>(),
          .from = base::FromUnixNanoseconds(json.at("from_ns").get<std::int64_t>()),
          .until = base::FromUnixNanoseconds(json.at("until_ns").get<std::int64_t>()),
          .error = json.at("error").get<double>(),
          .error_before = json.at("error_before").get<double>(),
          .by_target = ByTargetFromJson(json),
          .seen_before = json.at("seen_before").get<bool>()};
}

void ReadTraining(const Json& json, Manifest& manifest) {
  manifest.seed = json.at("seed").get<std::uint64_t>();
  manifest.trained_from = base::FromUnixNanoseconds(json.at("trained_from_ns").get<std::int64_t>());
  manifest.trained_until = base::FromUnixNanoseconds(json.at("trained_until_ns").get<std::int64_t>());
  manifest.training_examples = json.at("training_examples").get<std::uint64_t>();
  manifest.validation_examples = json.at("validation_examples").get<std::uint64_t>();
  manifest.metrics = MetricsFromJson(json.at("metrics"));
}

void ReadNetwork(const Json& json, Manifest& manifest) {
  manifest.sequence_length = json.at("sequence_length").get<std::int64_t>();
  manifest.layers = json.at("layers").get<std::int64_t>();
  manifest.hidden = json.at("hidden").get<std::int64_t>();
  manifest.dropout = json.at("dropout").get<double>();
  manifest.head_size = json.at("head_size").get<std::int64_t>();
  manifest.attention = json.at("attention").get<bool>();
  manifest.members = json.at("members").get<int>();
}

Manifest Read(const Json& json) {
  Manifest manifest;
  manifest.name = json.at("name").get<std::string>();
  manifest.version = json.at("version").get<std::string>();
  manifest.created_at = json.at("created_at").get<std::string>();
  manifest.flowcast_version = json.at("flowcast_version").get<std::string>();
  manifest.schema_hash = std::stoull(json.at("schema_hash").get<std::string>(), nullptr, 16);
  manifest.features = json.at("features").get<std::vector<std::string>>();
  manifest.target = json.at("target").get<std::string>();
  manifest.horizon_windows = json.at("horizon_windows").get<int>();
  manifest.horizons = json.at("horizons").get<std::vector<int>>();
  manifest.window_length = base::Duration(json.at("window_ns").get<std::int64_t>());
  ReadNetwork(json.at("network"), manifest);
  ReadTraining(json.at("training"), manifest);
  for (const Json& forecaster : json.at("forecasters")) {
    manifest.forecasters.push_back(ForecasterFromJson(forecaster));
  }
  manifest.decision = DecisionFromJson(json.at("decision"));
  manifest.percentiles = json.at("target_percentiles").get<std::map<std::string, Percentiles>>();
  if (json.contains("further_targets")) {
    for (const Json& target : json.at("further_targets")) manifest.further.push_back(FurtherFromJson(target));
  }
  return manifest;
}

}  // namespace

const ForecasterRecord* Manifest::forecaster(const std::string& wanted) const {
  for (const ForecasterRecord& record : forecasters) {
    if (record.name == wanted) return &record;
  }
  return nullptr;
}

std::vector<std::string> Manifest::targets() const {
  std::vector<std::string> names{target};
  for (const FurtherTarget& one : further) names.push_back(one.name);
  return names;
}

std::map<std::string, Percentiles>* Manifest::percentiles_of(const std::string& wanted) {
  if (wanted == target) return &percentiles;
  for (FurtherTarget& one : further) {
    if (one.name == wanted) return &one.percentiles;
  }
  return nullptr;
}

const std::map<std::string, Percentiles>* Manifest::percentiles_of(const std::string& wanted) const {
  return const_cast<Manifest*>(this)->percentiles_of(wanted);  // which changes nothing
}

std::vector<std::string> LabelNames() { return {"name", "version", "target"}; }

std::vector<std::string> LabelsOf(const Manifest& manifest) {
  return {manifest.name, manifest.version, base::Join(manifest.targets())};
}

std::string ToJson(const Manifest& manifest) {
  const Json network{{"kind", "lstm"},
                     {"sequence_length", manifest.sequence_length},
                     {"layers", manifest.layers},
                     {"hidden", manifest.hidden},
                     {"dropout", manifest.dropout},
                     {"head_size", manifest.head_size},
                     {"attention", manifest.attention},
                     {"members", manifest.members}};
  const Json training{{"seed", manifest.seed},
                      {"trained_from", base::FormatTime(manifest.trained_from)},
                      {"trained_until", base::FormatTime(manifest.trained_until)},
                      {"trained_from_ns", base::ToUnixNanoseconds(manifest.trained_from)},
                      {"trained_until_ns", base::ToUnixNanoseconds(manifest.trained_until)},
                      {"training_examples", manifest.training_examples},
                      {"validation_examples", manifest.validation_examples},
                      {"metrics", MetricsToJson(manifest.metrics)}};
  Json forecasters = Json::array();
  for (const ForecasterRecord& forecaster : manifest.forecasters) {
    forecasters.push_back(ForecasterToJson(forecaster));
  }
  Json json{{"name", manifest.name},
            {"version", manifest.version},
            {"created_at", manifest.created_at},
            {"flowcast_version", manifest.flowcast_version},
            {"schema_hash", base::Hex(manifest.schema_hash)},
            {"features", manifest.features},
            {"target", manifest.target},
            {"targets", manifest.targets()},
            {"horizon_windows", manifest.horizon_windows},
            {"horizons", manifest.horizons},
            {"window_ns", manifest.window_length.count()},
            {"network", network},
            {"training", training},
            {"forecasters", forecasters},
            {"decision", DecisionToJson(manifest.decision)},
            {"target_percentiles", manifest.percentiles}};
  for (const FurtherTarget& target : manifest.further)
    json["further_targets"].push_back(FurtherToJson(target));
  return json.dump(2);
}

Manifest FromJson(const std::string& text) {
  try {
    return Read(Json::parse(text));
  } catch (const std::exception& error) {
    throw base::RuntimeError(std::string("the model's manifest cannot be read: ") + error.what());
  }
}

}  // namespace flowcast::model_store
