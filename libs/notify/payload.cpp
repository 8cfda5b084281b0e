// Labels tell which alert it is, annotations what is to be said of it.
#include "libs/notify/payload.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libs/notify/number.h"
#include "libs/trace/trace.h"

namespace flowcast::notify {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::map<std::string, std::string>;

constexpr const char* kNoTime = "0001-01-01T00:00:00Z";  // Go's zero, as Alertmanager writes it

/// Prometheus' names of labels: [a-zA-Z_][a-zA-Z0-9_]*.
std::string LabelName(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c >= 0x80 || (std::isalnum(c) == 0 && c != '_'); }, '_');
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) name.insert(name.begin(), '_');
  return name;
}

Texts GroupLabels(const alert::Alert& alert) {
  return {{"alertname", alert.rule}, {"link", alert.link}, {"target", alert.target}};
}

Texts Labels(const alert::Alert& alert) {
  Texts labels = GroupLabels(alert);
  labels.emplace("severity", alert.severity);
  labels.emplace("kind", ToString(alert.kind));
  for (const auto& [name, text] : alert.labels) labels.emplace(LabelName(name), text);
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });  // as Prometheus has it
  return labels;
}

Texts Annotations(const alert::Alert& alert) {
  Texts texts{{"summary", alert.summary},
              {"fingerprint", alert.fingerprint},
              {"threshold", Number(alert.threshold)},
              {"predicted", Number(alert.predicted)},
              {"low", Number(alert.low)},
              {"high", Number(alert.high)},
              {"probability", Number(alert.probability)},
              {"last_actual", Number(alert.last_actual)},
              {"lead_s", Number(alert::LeadSeconds(alert))},
              {"quality", alert.quality},
              {"model_version", alert.model_version},
              {"runbook_url", alert.runbook},
              {"trace_id", trace::IdOfEnd(alert.link, alert.made_at, alert.window_length)}};
  if (alert.state == alert::State::kResolved) texts.emplace("reason", ToString(alert.reason));
  std::erase_if(texts, [](const auto& annotation) { return annotation.second.empty(); });
  return texts;
}

base::EventTime StartOf(const alert::Alert& alert) { return alert.fired_at.value_or(alert.started_at); }

bool IsResolved(const alert::Alert& alert) { return alert.state == alert::State::kResolved; }

std::string GroupKey(const Texts& labels) {
  std::string key = "{}:{";
  for (const auto& [name, text] : labels) {
    key += (key.back() == '{' ? "" : ", ") + name + "=" +
           Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return key + "}";
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string WebhookBody(const alert::Alert& alert) {
  const Texts labels = Labels(alert);
  const Texts annotations = Annotations(alert);
  const std::string status = IsResolved(alert) ? "resolved" : "firing";
  const Json one{{"status", status},
                 {"labels", labels},
                 {"annotations", annotations},
                 {"startsAt", base::FormatTime(StartOf(alert))},
                 {"endsAt", IsResolved(alert) ? base::FormatTime(alert.resolved_at) : kNoTime},
                 {"generatorURL", ""},
                 {"fingerprint", alert.fingerprint}};
  return Dump({{"receiver", "flowcast"},
               {"status", status},
               {"alerts", Json::array({one})},
               {"groupLabels", GroupLabels(alert)},
               {"commonLabels", labels},
               {"commonAnnotations", annotations},
               {"externalURL", ""},
               {"version", "4"},
               {"groupKey", GroupKey(GroupLabels(alert))},
               {"truncatedAlerts", 0}});
}

std::string AlertmanagerBody(std::span<const alert::Alert> alerts, base::EventTime now) {
  Json list = Json::array();
  for (const alert::Alert& alert : alerts) {
    // Event time may run ahead of the clock; an alert must not end before it starts.
    const base::EventTime start = std::min(StartOf(alert), now);
    Json one{{"labels", Labels(alert)},
             {"annotations", Annotations(alert)},
             {"startsAt", base::FormatTime(start)}};
    if (IsResolved(alert)) {
      one["endsAt"] = base::FormatTime(std::max(start, std::min(alert.resolved_at, now)));
    }
    list.push_back(std::move(one));
  }
  return Dump(list);
}

std::string SignedText(const std::string& timestamp, const std::string& body) {
  return timestamp + "." + body;
}

}  // namespace flowcast::notify
