// Words, fingerprints and probabilities of alerts.
#include "libs/alert/alert.h"

#include "libs/base/hash.h"

namespace flowcast::alert {
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
    case Reason::kSilent:
      return "silent";
    case Reason::kForgotten:
      return "forgotten";
  }
  return "";
}

std::string Fingerprint(const std::string& rule, const std::string& link, const std::string& target) {
  return base::Hex(base::Fnv1a64(rule + '\n' + link + '\n' + target));
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

}  // namespace flowcast::alert
