// Windows through forecasters and rules.
#include "libs/alert/rehearsal.h"

#include <algorithm>
#include <utility>

namespace flowcast::alert {
namespace {

/// Of what an episode that is over is still watched for: its window may be yet to come.
base::EventTime EndOfPromise(const Episode& episode) {
  return std::max(episode.resolved_at.value_or(base::kEndOfTime),
                  episode.fired.target_start + episode.fired.window_length);
}

}  // namespace

std::optional<double> Episode::LeadSeconds() const {
  if (was_above) return 0;
  if (!passed_at) return std::nullopt;
  return base::ToSeconds(*passed_at - fired.made_at) + base::ToSeconds(fired.window_length);
}

Rehearsal::Rehearsal(RuleSet rules, RehearsalOptions options)
    : rules_(std::move(rules)), options_(std::move(options)) {
  forecast::CheckHorizons(options_.horizons);
  for (const Rule& rule : rules_.rules()) {
    if (std::find(targets_.begin(), targets_.end(), rule.target) == targets_.end())
      targets_.push_back(rule.target);
  }
  rules_.RequireForecasts(targets_, options_.horizons);
}

void Rehearsal::Add(const Sample& sample) {
  Link& link = links_[sample.link];
  if (sample.start < link.next_start) return;
  const bool follows = sample.start == link.next_start && sample.length == link.length;
  if (sample.length != link.length) link.forecasters.clear();
  link.run = follows ? link.run + 1 : 1;
  link.length = sample.length;
  link.next_start = sample.start + sample.length;
  Check(sample, link);
  for (const std::string& target : targets_) {
    const auto value = sample.values.find(target);
    if (value == sample.values.end()) continue;
    auto forecaster = link.forecasters.find(target);
    if (forecaster == link.forecasters.end()) {
      forecaster =
          link.forecasters
              .emplace(target,
                       forecast::LinkForecaster(forecast::ForecasterOptions{
                           .target = target, .window_length = sample.length, .horizons = options_.horizons}))
              .first;
    }
    if (link.run < options_.warm_up) continue;
    forecaster->second.Observe(sample.start, value->second);
    forecast::Forecast forecast = forecaster->second.Predict();
    forecast.link = sample.link;
    ++forecasts_;
    std::vector<Alert> changes;
    link.alerts.Evaluate(forecast, rules_, {}, changes);
    Take(changes, link);
  }
}

void Rehearsal::Check(const Sample& sample, Link& link) {
  std::erase_if(link.open, [&](std::size_t position) {
    Episode& episode = episodes_[position];
    if (sample.start >= EndOfPromise(episode)) return true;
    const auto value = sample.values.find(episode.fired.target);
    if (value == sample.values.end() || value->second <= episode.fired.threshold) return false;
    episode.passed_at = sample.start;
    return true;
  });
}

void Rehearsal::Take(const std::vector<Alert>& changes, Link& link) {
  for (const Alert& alert : changes) {
    const auto same = std::find_if(episodes_.rbegin(), episodes_.rend(), [&alert](const Episode& episode) {
      return episode.fired.fingerprint == alert.fingerprint && episode.fired.started_at == alert.started_at;
    });
    if (same != episodes_.rend()) {
      if (alert.state == State::kResolved) same->resolved_at = alert.resolved_at;
      continue;
    }
    if (alert.state != State::kFiring) continue;
    const bool was_above = alert.kind == Kind::kLoad && alert.last_actual > alert.threshold;
    episodes_.push_back({.fired = alert, .was_above = was_above});
    if (alert.kind == Kind::kLoad && !was_above) link.open.push_back(episodes_.size() - 1);
  }
}

}  // namespace flowcast::alert
