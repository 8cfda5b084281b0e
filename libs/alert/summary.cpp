// Sentences by kind and state.
#include "libs/alert/summary.h"

#include <cstdio>

#include "libs/alert/quantity.h"

namespace flowcast::alert {
namespace {

std::string AmountOf(const Alert& alert, double value) {
  return Amount(value, alert.target, alert.window_length);
}

std::string ThresholdText(const Alert& alert, const Rule& rule) {
  const bool is_share = rule.threshold.kind == Threshold::Kind::kShareOfCapacity && alert.capacity_bps;
  if (!is_share) return AmountOf(alert, alert.threshold);
  return Digits(100 * rule.threshold.value) + " % of " + BitRate(*alert.capacity_bps);
}

std::string Seconds(double seconds) {
  if (seconds < 120) return Digits(seconds) + " s";
  if (seconds < 7200) return Digits(seconds / 60) + " min";
  return Digits(seconds / 3600) + " h";
}

/// Without its unit where the threshold beside it has the same.
std::string Bare(const Alert& alert, double value) {
  const std::string amount = AmountOf(alert, value);
  return amount.find("bit/s") == std::string::npos ? Digits(value) : amount;
}

std::string Expectation(const Alert& alert) {
  return Bare(alert, alert.predicted) + " expected (" + Bare(alert, alert.low) + " to " +
         Bare(alert, alert.high) + ")";
}

std::string LoadSentence(const Alert& alert, const Rule& rule) {
  const std::string threshold = ThresholdText(alert, rule);
  if (alert.state == State::kResolved) {
    if (!alert.fired_at)
      return alert.link + " is not about to pass " + threshold + " any more: " + Expectation(alert);
    return alert.link + " is expected back at " + AmountOf(alert, alert.predicted) +
           ", it had been about to pass " + threshold;
  }
  char probability[24];
  std::snprintf(probability, sizeof probability, "P = %.2f", alert.probability);
  const bool is_above = alert.last_actual > alert.threshold;
  const std::string will = alert.state == State::kPending ? (is_above ? " may stay above " : " may pass ")
                                                          : (is_above ? " will stay above " : " will pass ");
  return alert.link + will + threshold + (is_above ? " for " : " in ") + Seconds(LeadSeconds(alert)) + ", " +
         probability + ": " + Expectation(alert);
}

std::string DegradedSentence(const Alert& alert) {
  const std::string what = "the forecast of " + alert.target + " on " + alert.link;
  if (alert.state == State::kResolved) return what + " is no longer degraded";
  return what + (alert.state == State::kPending ? " may be degraded" : " is degraded") +
         ": the last value alone would have been the better one lately";
}

std::string QuietSentence(const Alert& alert) {
  const std::string now = ": " + AmountOf(alert, alert.last_actual);
  if (alert.state == State::kResolved) return alert.link + " is not quiet any more" + now;
  return alert.link + (alert.state == State::kPending ? " may have gone quiet" : " has gone quiet") + now +
         " in the last window";
}

}  // namespace

std::string Summarize(const Alert& alert, const Rule& rule) {
  if (alert.state == State::kResolved && alert.reason == Reason::kSilent)
    return "nothing is heard of " + alert.link + " any more; its alert " + alert.rule +
           " ends without an all-clear";
  if (alert.state == State::kResolved && alert.reason == Reason::kForgotten)
    return alert.link + " is watched no longer; its alert " + alert.rule + " ends";
  if (alert.state == State::kResolved && alert.reason == Reason::kRuleChanged)
    return "the rule " + alert.rule + " was changed or taken away; its alert on " + alert.link + " ends";
  switch (alert.kind) {
    case Kind::kLoad:
      return LoadSentence(alert, rule);
    case Kind::kDegraded:
      return DegradedSentence(alert);
    case Kind::kQuiet:
      return QuietSentence(alert);
  }
  return "";
}

}  // namespace flowcast::alert
