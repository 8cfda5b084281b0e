// Between alert::LinkAlerts and alerts.v1.
#include "services/inference/alerting.h"

#include "libs/wire/alert_wire.h"
#include "services/inference/in_force.h"

namespace flowcast::services {

void Alerting::Note(std::int64_t offset, History& history) const {
  if (history.empty() || history.back().marks != rules_->marks())
    history.push_back({offset, rules_->marks()});
}

bool Alerting::Evaluate(const forecast::Forecast& forecast, const alert::PercentilesByLink& percentiles,
                        alert::LinkAlerts& alerts, slice::Outbox& outbox) {
  std::vector<alert::Alert> changes;
  alerts.Evaluate(forecast, *rules_, percentiles, changes);
  Send(changes, outbox);
  return !changes.empty();
}

void Alerting::EvaluateAgain(const forecast::Forecast& forecast, const alert::PercentilesByLink& percentiles,
                             std::int64_t offset, const History& history, alert::LinkAlerts& alerts) const {
  const wire::RulesInForce* then = InForceAt(offset, history);
  if (then != nullptr) alerts.EvaluateAgain(forecast, *rules_, percentiles, then->marks);
}

void Alerting::Forget(base::EventTime last_end, alert::LinkAlerts& alerts, slice::Outbox& outbox) {
  std::vector<alert::Alert> changes;
  alerts.Forget(last_end, changes);
  Send(changes, outbox);
}

bool Alerting::FallSilent(base::EventTime last_end, alert::LinkAlerts& alerts, slice::Outbox& outbox) {
  std::vector<alert::Alert> changes;
  alerts.FallSilent(last_end, changes);
  Send(changes, outbox);
  return !changes.empty();
}

void Alerting::Send(const std::vector<alert::Alert>& changes, slice::Outbox& outbox) {
  for (const alert::Alert& alert : changes) {
    const bool is_pending = alert.state == alert::State::kPending;
    const bool is_firing = alert.state == alert::State::kFiring;
    ++(is_pending ? counters_.pending : is_firing ? counters_.fired : counters_.resolved);
    counters_.silenced += alert.silenced ? 1 : 0;
    log_(is_pending ? base::LogLevel::kDebug : base::LogLevel::kInfo,
         "alert " + std::string(is_firing ? "fired" : ToString(alert.state)) +
             (alert.silenced ? " (silenced)" : "") + ": " + alert.summary + "; trace " +
             wire::TraceIdOf(alert));
    outbox.push_back({.to = {names_.alerts, 0},
                      .key = alert.fingerprint,
                      .value = wire::EncodeJson(alert),
                      .headers = wire::CloudEventHeaders(alert)});
  }
}

}  // namespace flowcast::services
