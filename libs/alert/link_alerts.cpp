// Rules into lives, lives into messages.
#include "libs/alert/link_alerts.h"

#include <algorithm>
#include <utility>

#include "libs/alert/summary.h"

namespace flowcast::alert {
namespace {

/// The alert as it is told for the last time, when its rule or its link is gone.
Alert Ended(const ActiveAlert& active, Reason reason, base::EventTime now) {
  Alert alert = active.published;
  alert.state = State::kResolved;
  alert.reason = reason;
  alert.resolved_at = alert.made_at = now;
  alert.silenced = !active.told;
  alert.summary = Summarize(alert, Rule{});
  return alert;
}

State StateOf(Change change, Phase phase) {
  if (change == Change::kWithdrawn || change == Change::kResolved) return State::kResolved;
  return phase == Phase::kPending ? State::kPending : State::kFiring;
}

Alert Describe(const Rule& rule, const forecast::Forecast& forecast, const Judgement& judgement) {
  const forecast::HorizonForecast& horizon = forecast.horizons[judgement.horizon];
  Alert alert{.fingerprint = Fingerprint(rule.name, forecast.link, forecast.target),
              .rule = rule.name,
              .severity = rule.severity,
              .link = forecast.link,
              .kind = rule.kind,
              .target = forecast.target,
              .threshold = judgement.threshold,
              .predicted = horizon.median(),
              .low = horizon.quantiles.front(),
              .high = horizon.quantiles.back(),
              .last_actual = forecast.last_actual,
              .quality = std::string(ToString(forecast.quality)),
              .made_at = forecast.made_at,
              .target_start = horizon.target_start,
              .window_length = forecast.window_length,
              .horizon_windows = horizon.horizon_windows,
              .labels = rule.labels,
              .runbook = rule.runbook,
              .model_version = forecast.model_version};
  if (rule.kind != Kind::kDegraded) alert.probability = ProbabilityAbove(horizon, judgement.threshold);
  for (const forecast::HorizonForecast& one : forecast.horizons)
    alert.forecasts.push_back({one.horizon_windows, one.target_start, one.quantiles});
  return alert;
}

}  // namespace

LinkAlerts::LinkAlerts(std::vector<ActiveAlert> active) {
  if (!active.empty()) active_ = std::make_unique<std::vector<ActiveAlert>>(std::move(active));
}

std::span<const ActiveAlert> LinkAlerts::active() const {
  return active_ ? std::span<const ActiveAlert>(*active_) : std::span<const ActiveAlert>();
}

ActiveAlert* LinkAlerts::Find(std::uint64_t rule) {
  if (!active_) return nullptr;
  const auto found = std::find_if(active_->begin(), active_->end(),
                                  [rule](const ActiveAlert& active) { return active.rule == rule; });
  return found == active_->end() ? nullptr : &*found;
}

void LinkAlerts::Erase(std::uint64_t rule) {
  std::erase_if(*active_, [rule](const ActiveAlert& active) { return active.rule == rule; });
  if (active_->empty()) active_.reset();
}

void LinkAlerts::Evaluate(const forecast::Forecast& forecast, const RuleSet& rules,
                          const PercentilesByLink& percentiles, std::vector<Alert>& changes) {
  EndStrangers(forecast, rules, changes);
  for (const Rule& rule : rules.rules()) {
    if (rule.target != forecast.target || !rules.Applies(rule, forecast.link)) continue;
    if (const auto judgement = Judge(rule, forecast, {rules.capacities(), percentiles}))
      Follow({rule, forecast, *judgement}, rules, changes);
  }
}

void LinkAlerts::EvaluateAgain(const forecast::Forecast& forecast, const RuleSet& rules,
                               const PercentilesByLink& percentiles,
                               std::span<const std::uint64_t> in_force) {
  if (!active_) return;
  for (ActiveAlert& active : *active_) {
    const Rule* rule = rules.Find(active.rule);
    if (rule == nullptr || rule->target != forecast.target) continue;
    const std::uint64_t mark = rules.mark_of(*rule);
    if (std::find(in_force.begin(), in_force.end(), mark) == in_force.end()) continue;
    if (const auto judgement = Judge(*rule, forecast, {rules.capacities(), percentiles}))
      StepAgain(active.life, rule->terms, judgement->condition, forecast.made_at);
  }
}

/// Those of which `ends` says so.
template <typename Ends>
void LinkAlerts::End(Reason reason, base::EventTime now, std::vector<Alert>& changes, const Ends& ends) {
  if (!active_) return;
  std::erase_if(*active_, [&](const ActiveAlert& active) {
    if (!ends(active)) return false;
    changes.push_back(Ended(active, reason, now));
    return true;
  });
  if (active_->empty()) active_.reset();
}

void LinkAlerts::Forget(base::EventTime now, std::vector<Alert>& changes) {
  End(Reason::kForgotten, now, changes, [](const ActiveAlert&) { return true; });
}

void LinkAlerts::FallSilent(base::EventTime now, std::vector<Alert>& changes) {
  End(Reason::kSilent, now, changes,
      [](const ActiveAlert& active) { return active.published.kind != Kind::kQuiet; });
}

void LinkAlerts::EndStrangers(const forecast::Forecast& forecast, const RuleSet& rules,
                              std::vector<Alert>& changes) {
  End(Reason::kRuleChanged, forecast.made_at, changes, [&](const ActiveAlert& active) {
    const Rule* rule = rules.Find(active.rule);
    return rule == nullptr || !rules.Applies(*rule, forecast.link);
  });
}

void LinkAlerts::Follow(const Asked& asked, const RuleSet& rules, std::vector<Alert>& changes) {
  const Rule& rule = asked.rule;
  const std::uint64_t hash = rules.hash_of(rule);
  ActiveAlert* active = Find(hash);
  if (active == nullptr) {
    if (!asked.judgement.condition.holds) return;
    if (!active_) active_ = std::make_unique<std::vector<ActiveAlert>>();
    active = &active_->emplace_back(ActiveAlert{.rule = hash});
  }
  const Change change = Step(active->life, rule.terms, asked.judgement.condition, asked.forecast.made_at);
  const bool silence_ended = change == Change::kNone && active->life.phase == Phase::kFiring &&
                             !active->told && !rule.IsSilent(asked.forecast.made_at);
  if (change != Change::kNone || silence_ended) Publish(asked, rules, *active, change, changes);
  if (active->life.phase == Phase::kInactive) Erase(hash);
}

void LinkAlerts::Publish(const Asked& asked, const RuleSet& rules, ActiveAlert& active, Change change,
                         std::vector<Alert>& changes) {
  Alert alert = Describe(asked.rule, asked.forecast, asked.judgement);
  alert.capacity_bps = rules.capacities().Of(asked.forecast.link);
  alert.state = StateOf(change, active.life.phase);
  alert.started_at = active.life.started_at;
  const bool fired = alert.state == State::kFiring || change == Change::kResolved;
  if (fired) alert.fired_at = active.life.fired_at;
  if (alert.state == State::kResolved) {
    alert.resolved_at = asked.forecast.made_at;
    alert.silenced = !active.told;
  } else {
    alert.silenced = asked.rule.IsSilent(asked.forecast.made_at);
    active.told = !alert.silenced;
  }
  alert.summary = Summarize(alert, asked.rule);
  active.published = alert;
  active.published.forecasts = {};
  changes.push_back(std::move(alert));
}

}  // namespace flowcast::alert
