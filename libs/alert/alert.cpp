// Raising, resolving and describing alerts.
#include "libs/alert/alert.h"

#include <cmath>
#include <cstdio>

#include "libs/base/hash.h"

namespace flowcast::alert {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, std::abs(value) < 10 ? "%.1f" : "%.0f", value);
  return text;
}

std::string Summarize(const Alert& alert) {
  const std::string unit = " " + alert.target + " per " + base::FormatDuration(alert.window_length);
  if (alert.state == State::kResolved) {
    return alert.link + " is expected back at " + Number(alert.predicted) + unit + ", below " +
           Number(alert.threshold);
  }
  char probability[16];
  std::snprintf(probability, sizeof probability, "%.2f", alert.probability);
  return alert.link + " will pass " + Number(alert.threshold) + unit + " within " +
         Number(LeadSeconds(alert)) + " s: " + Number(alert.predicted) + " expected (" + Number(alert.low) +
         " to " + Number(alert.high) + ", P = " + probability + ")";
}

}  // namespace

std::string_view ToString(State state) {
  switch (state) {
    case State::kPending:
      return "pending";
    case State::kFiring:
      return "firing";
    case State::kResolved:
      return "resolved";
  }
  return "";
}

std::string_view ToString(Kind kind) {
  switch (kind) {
    case Kind::kLoad:
      return "load";
    case Kind::kDegraded:
      return "degraded";
    case Kind::kQuiet:
      return "quiet";
  }
  return "";
}

std::string_view ToString(Reason reason) {
  switch (reason) {
    case Reason::kCleared:
      return "cleared";
    case Reason::kRuleChanged:
      return "rule_changed";
    case Reason::kForgotten:
      return "forgotten";
  }
  return "";
}

double LeadSeconds(const Alert& alert) {
  return base::ToSeconds(alert.target_start - alert.made_at) + base::ToSeconds(alert.window_length);
}

double ProbabilityAbove(const forecast::HorizonForecast& forecast, double threshold) {
  const auto& quantiles = forecast.quantiles;
  const auto& levels = forecast::kQuantileLevels;
  if (threshold < quantiles.front()) return 1 - levels[0] / 2;
  if (threshold >= quantiles.back()) return (1 - levels[forecast::kQuantileCount - 1]) / 2;
  std::size_t i = 0;
  while (i + 2 < quantiles.size() && threshold >= quantiles[i + 1]) ++i;
  const double width = quantiles[i + 1] - quantiles[i];
  const double share = width > 0 ? (threshold - quantiles[i]) / width : 0;
  return 1 - (levels[i] + share * (levels[i + 1] - levels[i]));
}

std::optional<Alert> LoadAlert::Evaluate(const forecast::Forecast& forecast, double threshold) {
  const double predicted = forecast.horizons.front().median();
  if (!memory_.firing && predicted > threshold) {
    memory_.firing = true;
    memory_.started_at = forecast.made_at;
    return Describe(forecast, threshold);
  }
  if (memory_.firing && predicted < threshold * options_->clear_ratio) {
    memory_.firing = false;
    return Describe(forecast, threshold);
  }
  return std::nullopt;
}

Alert LoadAlert::Describe(const forecast::Forecast& forecast, double threshold) const {
  const forecast::HorizonForecast& horizon = forecast.horizons.front();
  Alert alert{
      .fingerprint = base::Hex(base::Fnv1a64(options_->name + '\n' + forecast.link + '\n' + forecast.target)),
      .state = memory_.firing ? State::kFiring : State::kResolved,
      .rule = options_->name,
      .severity = options_->severity,
      .link = forecast.link,
      .target = forecast.target,
      .threshold = threshold,
      .predicted = horizon.median(),
      .low = horizon.quantiles.front(),
      .high = horizon.quantiles.back(),
      .probability = ProbabilityAbove(horizon, threshold),
      .last_actual = forecast.last_actual,
      .quality = std::string(ToString(forecast.quality)),
      .started_at = memory_.started_at,
      .fired_at = memory_.started_at,
      .resolved_at = forecast.made_at,
      .made_at = forecast.made_at,
      .target_start = horizon.target_start,
      .window_length = forecast.window_length,
      .horizon_windows = horizon.horizon_windows,
      .model_version = forecast.model_version};
  for (const forecast::HorizonForecast& one : forecast.horizons)
    alert.forecasts.push_back({one.horizon_windows, one.target_start, one.quantiles});
  alert.summary = Summarize(alert);
  return alert;
}

}  // namespace flowcast::alert
