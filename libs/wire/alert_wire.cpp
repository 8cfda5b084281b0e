// Alert to and from CloudEvents JSON.
#include "libs/wire/alert_wire.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "libs/trace/trace.h"
#include "libs/wire/message.h"

namespace flowcast::wire {
namespace {

using Json = nlohmann::ordered_json;
using alert::Alert;

void PutTime(Json& json, const std::string& name, base::EventTime time) {
  json[name] = base::FormatTime(time);
  json[name + "_ns"] = base::ToUnixNanoseconds(time);
}

/// Json itself would make a whole number of any, also of one that has no room.
template <typename T>
T TakeWhole(const Json& number) {
  const bool fits = number.is_number_unsigned()  ? std::in_range<T>(number.get<std::uint64_t>())
                    : number.is_number_integer() ? std::in_range<T>(number.get<std::int64_t>())
                                                 : false;
  if (!fits) throw Json::other_error::create(501, "no whole number", &number);
  return number.get<T>();
}

base::EventTime TakeTime(const Json& json, const std::string& name) {
  const Json& time = json.at(name + "_ns");
  const auto nanoseconds = TakeWhole<std::int64_t>(time);
  if (!IsSaneTime(nanoseconds)) throw Json::other_error::create(501, "no time", &time);
  return base::FromUnixNanoseconds(nanoseconds);
}

base::Duration TakeLength(const Json& length) {
  const auto nanoseconds = TakeWhole<std::int64_t>(length);
  if (nanoseconds <= 0 || !IsSaneTime(nanoseconds))
    throw Json::other_error::create(501, "no length", &length);
  return base::Duration(nanoseconds);
}

/// The one of `all` whose word it is; throws where there is none.
template <typename Enum>
Enum TakeWord(const Json& word, std::initializer_list<Enum> all) {
  for (const Enum one : all) {
    if (word == ToString(one)) return one;
  }
  throw Json::other_error::create(501, "unknown word", &word);
}

Json WriteForecasts(const Alert& alert) {
  Json list = Json::array();
  for (const alert::HorizonQuantiles& one : alert.forecasts) {
    list.push_back({{"horizon_windows", one.horizon_windows},
                    {"target_start", base::FormatTime(one.target_start)},
                    {"target_start_ns", base::ToUnixNanoseconds(one.target_start)},
                    {"quantiles", one.quantiles}});
  }
  return list;
}

void ReadForecasts(const Json& list, Alert& alert) {
  for (const Json& one : list) {
    alert.forecasts.push_back({TakeWhole<int>(one.at("horizon_windows")), TakeTime(one, "target_start"),
                               one.at("quantiles").get<std::vector<double>>()});
  }
}

void WriteTimes(const Alert& alert, Json& json) {
  PutTime(json, "started_at", alert.started_at);
  if (alert.fired_at) PutTime(json, "fired_at", *alert.fired_at);
  if (alert.state == alert::State::kResolved) {
    PutTime(json, "resolved_at", alert.resolved_at);
    json["reason"] = ToString(alert.reason);
  }
  PutTime(json, "made_at", alert.made_at);
  PutTime(json, "target_start", alert.target_start);
}

void ReadTimes(const Json& json, Alert& alert) {
  using enum alert::Reason;
  alert.started_at = TakeTime(json, "started_at");
  if (json.contains("fired_at_ns")) alert.fired_at = TakeTime(json, "fired_at");
  if (alert.state == alert::State::kResolved) alert.resolved_at = TakeTime(json, "resolved_at");
  if (json.contains("reason"))
    alert.reason = TakeWord(json["reason"], {kCleared, kRuleChanged, kSilent, kForgotten});
  if (json.contains("made_at_ns")) {
    alert.made_at = TakeTime(json, "made_at");
  } else {  // as written before it was said
    alert.made_at = alert.state == alert::State::kResolved ? alert.resolved_at : alert.started_at;
    alert.fired_at = alert.started_at;
  }
  alert.target_start = TakeTime(json, "target_start");
}

void ReadNumbers(const Json& json, Alert& alert) {
  alert.threshold = json.at("threshold").get<double>();
  alert.predicted = json.at("predicted").get<double>();
  alert.low = json.at("low").get<double>();
  alert.high = json.at("high").get<double>();
  alert.probability = json.at("probability").get<double>();
  alert.last_actual = json.at("last_actual").get<double>();
  if (json.contains("capacity_bps")) alert.capacity_bps = json["capacity_bps"].get<double>();
  alert.window_length = TakeLength(json.at("window_ns"));
  alert.horizon_windows = TakeWhole<int>(json.at("horizon_windows"));
}

Alert Read(const Json& json) {
  using enum alert::Kind;
  using enum alert::State;
  Alert alert;
  alert.fingerprint = json.at("fingerprint").get<std::string>();
  alert.state = TakeWord(json.at("state"), {kPending, kFiring, kResolved});
  alert.severity = json.at("severity").get<std::string>();
  alert.summary = json.at("summary").get<std::string>();
  alert.link = json.at("link").get<std::string>();
  alert.rule = json.at("rule").get<std::string>();
  if (json.contains("kind")) alert.kind = TakeWord(json["kind"], {kLoad, kDegraded, kQuiet});
  alert.target = json.at("target").get<std::string>();
  ReadNumbers(json, alert);
  alert.quality = json.value("quality", "");
  ReadTimes(json, alert);
  if (json.contains("forecasts")) ReadForecasts(json["forecasts"], alert);
  if (json.contains("labels")) json["labels"].get_to(alert.labels);
  alert.runbook = json.value("runbook", "");
  alert.model_version = json.at("model_version").get<std::string>();
  alert.silenced = json.value("silenced", false);
  return alert;
}

}  // namespace

std::string EncodeJson(const Alert& alert) {
  Json json{{"version", 1},
            {"fingerprint", alert.fingerprint},
            {"state", ToString(alert.state)},
            {"severity", alert.severity},
            {"summary", alert.summary},
            {"link", alert.link},
            {"rule", alert.rule},
            {"kind", ToString(alert.kind)},
            {"target", alert.target},
            {"threshold", alert.threshold},
            {"predicted", alert.predicted},
            {"low", alert.low},
            {"high", alert.high},
            {"probability", alert.probability},
            {"last_actual", alert.last_actual}};
  if (alert.capacity_bps) json["capacity_bps"] = *alert.capacity_bps;
  json["quality"] = alert.quality;
  WriteTimes(alert, json);
  json["window_ns"] = alert.window_length.count();
  json["horizon_windows"] = alert.horizon_windows;
  json["lead_s"] = LeadSeconds(alert);
  json["forecasts"] = WriteForecasts(alert);
  json["labels"] = alert.labels;
  if (!alert.runbook.empty()) json["runbook"] = alert.runbook;
  json["model_version"] = alert.model_version;
  json["silenced"] = alert.silenced;
  json["trace_id"] = TraceIdOf(alert);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

tl::expected<Alert, WireError> DecodeAlertJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return tl::unexpected(WireError::kNotOurs);
  if (!json.contains("version") || json["version"] != 1) return tl::unexpected(WireError::kUnknownVersion);
  try {
    return Read(json);
  } catch (const Json::exception&) {
    return tl::unexpected(WireError::kInconsistent);
  }
}

std::string TraceIdOf(const Alert& alert) {
  return trace::IdOfEnd(alert.link, alert.made_at, alert.window_length);
}

std::vector<bus::Header> CloudEventHeaders(const Alert& alert) {
  const std::string state(ToString(alert.state));
  const std::string id = alert.fingerprint + "-" + std::to_string(base::ToUnixNanoseconds(alert.started_at)) +
                         "-" + state + (alert.silenced ? "-silenced" : "");
  return {{"ce_specversion", "1.0"},
          {"ce_id", id},
          {"ce_source", "/flowcast/inference"},
          {"ce_type", "io.flowcast.alert." + state},
          {"ce_subject", alert.link},
          {"ce_time", base::FormatTime(alert.made_at)},
          {"ce_traceparent", trace::Parent(TraceIdOf(alert), id)},
          {"content-type", "application/json"}};
}

}  // namespace flowcast::wire
