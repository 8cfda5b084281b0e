// Manifest to and from JSON.
#include "libs/model_store/manifest.h"

#include <nlohmann/json.hpp>

#include "libs/base/error.h"
#include "libs/base/hash.h"

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

Json ForecasterToJson(const ForecasterRecord& forecaster) {
  Json horizons = Json::array();
  for (const auto& [windows, metrics] : forecaster.metrics) {
    Json horizon{{"windows", windows}};
    horizon.update(MetricsToJson(metrics));
    horizons.push_back(std::move(horizon));
  }
  return {{"name", forecaster.name},
          {"parameters", forecaster.parameters},
          {"best_epoch", forecaster.best_epoch},
          {"seconds", forecaster.seconds},
          {"history", HistoryToJson(forecaster.history)},
          {"metrics", std::move(horizons)}};
}

ForecasterRecord ForecasterFromJson(const Json& json) {
  ForecasterRecord forecaster{.name = json.at("name").get<std::string>(),
                              .parameters = json.at("parameters").get<std::int64_t>(),
                              .best_epoch = json.at("best_epoch").get<int>(),
                              .seconds = json.at("seconds").get<double>(),
                              .history = HistoryFromJson(json.at("history")),
                              .metrics = {}};
  for (const Json& horizon : json.at("metrics")) {
    forecaster.metrics[horizon.at("windows").get<int>()] = MetricsFromJson(horizon);
  }
  return forecaster;
}

Json DecisionToJson(const Decision& decision) {
  return {{"trained_for", decision.trained_for},
          {"replaced", decision.replaced},
          {"reason", decision.reason},
          {"against", decision.against},
          {"examples", decision.examples},
          {"from_ns", base::ToUnixNanoseconds(decision.from)},
          {"until_ns", base::ToUnixNanoseconds(decision.until)},
          {"error", decision.error},
          {"error_before", decision.error_before},
          {"seen_before", decision.seen_before}};
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
  return manifest;
}

}  // namespace

const ForecasterRecord* Manifest::forecaster(const std::string& wanted) const {
  for (const ForecasterRecord& record : forecasters) {
    if (record.name == wanted) return &record;
  }
  return nullptr;
}

std::vector<std::string> LabelNames() { return {"name", "version", "target"}; }

std::vector<std::string> LabelsOf(const Manifest& manifest) {
  return {manifest.name, manifest.version, manifest.target};
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
  const Json json{{"name", manifest.name},
                  {"version", manifest.version},
                  {"created_at", manifest.created_at},
                  {"flowcast_version", manifest.flowcast_version},
                  {"schema_hash", base::Hex(manifest.schema_hash)},
                  {"features", manifest.features},
                  {"target", manifest.target},
                  {"horizon_windows", manifest.horizon_windows},
                  {"horizons", manifest.horizons},
                  {"window_ns", manifest.window_length.count()},
                  {"network", network},
                  {"training", training},
                  {"forecasters", forecasters},
                  {"decision", DecisionToJson(manifest.decision)},
                  {"target_percentiles", manifest.percentiles}};
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
