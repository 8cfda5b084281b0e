// Alert to and from CloudEvents JSON.
#include "libs/wire/alert_wire.h"

#include <nlohmann/json.hpp>

namespace flowcast::wire {
namespace {

using Json = nlohmann::ordered_json;

base::EventTime TimeOf(const alert::Alert& alert) {
  return alert.state == alert::State::kFiring ? alert.started_at : alert.resolved_at;
}

alert::Alert Read(const Json& json) {
  alert::Alert alert;
  alert.fingerprint = json.at("fingerprint").get<std::string>();
  alert.state = json.at("state") == "resolved" ? alert::State::kResolved : alert::State::kFiring;
  alert.rule = json.at("rule").get<std::string>();
  alert.severity = json.at("severity").get<std::string>();
  alert.link = json.at("link").get<std::string>();
  alert.target = json.at("target").get<std::string>();
  alert.threshold = json.at("threshold").get<double>();
  alert.predicted = json.at("predicted").get<double>();
  alert.low = json.at("low").get<double>();
  alert.high = json.at("high").get<double>();
  alert.probability = json.at("probability").get<double>();
  alert.last_actual = json.at("last_actual").get<double>();
  alert.started_at = base::FromUnixNanoseconds(json.at("started_at_ns").get<std::int64_t>());
  if (json.contains("resolved_at_ns")) {
    alert.resolved_at = base::FromUnixNanoseconds(json.at("resolved_at_ns").get<std::int64_t>());
  }
  alert.target_start = base::FromUnixNanoseconds(json.at("target_start_ns").get<std::int64_t>());
  alert.window_length = base::Duration(json.at("window_ns").get<std::int64_t>());
  alert.horizon_windows = json.at("horizon_windows").get<int>();
  alert.model_version = json.at("model_version").get<std::string>();
  alert.summary = json.at("summary").get<std::string>();
  return alert;
}

}  // namespace

std::string EncodeJson(const alert::Alert& alert) {
  Json json{{"version", 1},
            {"fingerprint", alert.fingerprint},
            {"state", alert::ToString(alert.state)},
            {"severity", alert.severity},
            {"summary", alert.summary},
            {"link", alert.link},
            {"rule", alert.rule},
            {"target", alert.target},
            {"threshold", alert.threshold},
            {"predicted", alert.predicted},
            {"low", alert.low},
            {"high", alert.high},
            {"probability", alert.probability},
            {"last_actual", alert.last_actual},
            {"started_at", base::FormatTime(alert.started_at)},
            {"target_start", base::FormatTime(alert.target_start)},
            {"started_at_ns", base::ToUnixNanoseconds(alert.started_at)},
            {"target_start_ns", base::ToUnixNanoseconds(alert.target_start)},
            {"window_ns", alert.window_length.count()},
            {"horizon_windows", alert.horizon_windows},
            {"model_version", alert.model_version}};
  if (alert.state == alert::State::kResolved) {
    json["resolved_at"] = base::FormatTime(alert.resolved_at);
    json["resolved_at_ns"] = base::ToUnixNanoseconds(alert.resolved_at);
  }
  return json.dump();
}

tl::expected<alert::Alert, WireError> DecodeAlertJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return tl::unexpected(WireError::kNotOurs);
  if (!json.contains("version") || json["version"] != 1) return tl::unexpected(WireError::kUnknownVersion);
  try {
    return Read(json);
  } catch (const Json::exception&) {
    return tl::unexpected(WireError::kInconsistent);
  }
}

std::vector<bus::Header> CloudEventHeaders(const alert::Alert& alert) {
  const std::string state(alert::ToString(alert.state));
  return {{"ce_specversion", "1.0"},
          {"ce_id",
           alert.fingerprint + "-" + std::to_string(base::ToUnixNanoseconds(alert.started_at)) + "-" + state},
          {"ce_source", "/flowcast/inference"},
          {"ce_type", "io.flowcast.alert." + state},
          {"ce_subject", alert.link},
          {"ce_time", base::FormatTime(TimeOf(alert))},
          {"content-type", "application/json"}};
}

}  // namespace flowcast::wire
