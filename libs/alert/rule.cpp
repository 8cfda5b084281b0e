// Reading, checking and describing rules.
#include "libs/alert/rule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "libs/alert/quantity.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/pattern.h"
#include "libs/base/text.h"

namespace flowcast::alert {
namespace {

// What ProbabilityAbove can say at all.
constexpr double kLeastProbability = forecast::kQuantileLevels[0] / 2;
constexpr double kMostProbability = 1 - kLeastProbability;

bool IsLevel(double level) {
  return std::any_of(std::begin(forecast::kQuantileLevels), std::end(forecast::kQuantileLevels),
                     [level](double one) { return std::abs(one - level) < 1e-9; });
}

/// The number that follows `head` in the text and ends it.
std::optional<double> NumberAfter(const std::string& head, const std::string& text) {
  if (text.rfind(head, 0) != 0) return std::nullopt;
  std::string unit;
  const auto number = TakeNumber(text.substr(head.size()), unit);
  return unit.empty() ? number : std::nullopt;
}

std::string Exact(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

bool MatchesAny(const std::vector<std::string>& patterns, const std::string& link) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&link](const std::string& pattern) { return base::MatchesPattern(pattern, link); });
}

/// What is wrong with how an alert ends; empty if nothing.
std::string ObjectionToClear(const Rule& rule) {
  const Clear& clear = rule.clear;
  const bool on_probability = rule.kind == Kind::kLoad && rule.on.kind == Measure::Kind::kProbability;
  if (clear.probability && !on_probability)
    return "clear_probability goes with on = \"probability > ...\" only; use clear or clear_ratio";
  if (clear.absolute && on_probability) return "clear does not go with a probability; use clear_probability";
  if (on_probability) {
    const double below = clear.probability.value_or(clear.ratio * rule.on.level);
    if (below > rule.on.level) return "clear_probability must not be above the probability of on";
    if (below <= kLeastProbability)
      return "it could never clear: no probability is below " + Digits(kLeastProbability) +
             "; raise clear_probability";
    return "";
  }
  if (!clear.absolute) return "";
  if (clear.absolute->kind == Threshold::Kind::kPercentile)
    return "clear " + clear.absolute->Text() +
           " is a percentile; give a number, bytes, a share, or clear_ratio";
  if (!clear.absolute->Fits(rule.target))
    return "clear " + clear.absolute->Text() + " does not go with the target " + rule.target;
  if (clear.absolute->kind != rule.threshold.kind) return "";
  const bool beyond = rule.kind == Kind::kQuiet ? clear.absolute->value < rule.threshold.value
                                                : clear.absolute->value > rule.threshold.value;
  return beyond ? "clear is on the wrong side of the threshold" : "";
}

std::string ObjectionToLoad(const Rule& rule) {
  if (!rule.threshold.Fits(rule.target)) {
    return "the threshold " + rule.threshold.Text() + " does not go with the target " + rule.target +
           "; give bytes (2MB) or a share (80%) for bytes, a number (100) for everything else";
  }
  if (rule.on.kind == Measure::Kind::kProbability &&
      (rule.on.level < kLeastProbability || rule.on.level >= kMostProbability)) {
    return "a probability is from " + Digits(kLeastProbability) + " to below " + Digits(kMostProbability) +
           ", since forecasts say no more";
  }
  return "";
}

std::string Objection(const Rule& rule) {
  if (rule.name.empty()) return "it has no name; write name = \"...\"";
  if (rule.severity.empty()) return "severity is empty; write warning or critical";
  if (rule.links.empty()) return "links names none; leave it out for all";
  const Terms& terms = rule.terms;
  if (terms.needed < 1 || terms.of < terms.needed || terms.of > Terms::kMost)
    return "for must be like \"3 of 5\", at most of " + std::to_string(Terms::kMost) + " windows";
  if (rule.kind != Kind::kLoad && rule.horizon != Rule::kNearest)
    return "horizon goes with kind = \"load\" only";
  if (rule.kind != Kind::kDegraded) {
    std::string wrong = rule.kind == Kind::kLoad || rule.threshold.value > 0 ? ObjectionToLoad(rule) : "";
    if (!wrong.empty()) return wrong;
  }
  return ObjectionToClear(rule);
}

std::string HorizonText(int horizon) {
  if (horizon == Rule::kNearest) return "at the nearest horizon";
  if (horizon == Rule::kAny) return "at any horizon";
  return std::to_string(horizon) + " windows ahead";
}

std::string ConditionText(const Rule& rule) {
  switch (rule.kind) {
    case Kind::kLoad:
      return rule.on.Text() + " of " + rule.target + " above " + rule.threshold.Text() + " " +
             HorizonText(rule.horizon);
    case Kind::kDegraded:
      return "forecast of " + rule.target + " degraded";
    case Kind::kQuiet:
      return rule.target + " at or below " + rule.threshold.Text();
  }
  return "";
}

std::string ClearText(const Rule& rule) {
  const Clear& clear = rule.clear;
  return Exact(clear.ratio) + "," + (clear.absolute ? clear.absolute->Text() : "") + "," +
         (clear.probability ? Exact(*clear.probability) : "");
}

}  // namespace

Measure Measure::Parse(const std::string& text) {
  if (text == "median") return {};
  if (const auto level = NumberAfter("quantile ", text); level && IsLevel(*level))
    return {Kind::kQuantile, *level};
  if (const auto level = NumberAfter("probability > ", text)) return {Kind::kProbability, *level};
  throw base::ConfigError("'" + text +
                          "' is nothing to compare; write median, probability > 0.8, or quantile 0.9 (0.05, "
                          "0.1, 0.25, 0.5, 0.75, 0.9 or 0.95)");
}

std::string Measure::Text() const {
  if (kind == Kind::kMedian) return "median";
  return (kind == Kind::kQuantile ? "quantile " : "probability > ") + Exact(level);
}

bool Rule::Watches(const std::string& link) const {
  return MatchesAny(links, link) && !MatchesAny(except, link);
}

bool Rule::IsSilent(base::EventTime time) const {
  return std::any_of(silences.begin(), silences.end(),
                     [time](const Silence& silence) { return silence.Covers(time); });
}

std::uint64_t Rule::hash() const {
  std::string text = name + '\n' + target + '\n' + ConditionText(*this) + '\n' + ClearText(*this) + '\n' +
                     std::to_string(terms.needed) + '/' + std::to_string(terms.of) + '/' +
                     std::to_string(terms.keep_firing_for.count()) + '\n' + severity + '\n';
  for (const auto& [label, value] : labels) text += label + '=' + value + '\n';
  return base::Fnv1a64(text);
}

std::string Rule::Text() const {
  std::string text = name + ": " + ConditionText(*this) + " on " + base::Join(links);
  if (!except.empty()) text += " except " + base::Join(except);
  if (terms.of > 1)
    text += ", in " + std::to_string(terms.needed) + " of " + std::to_string(terms.of) + " windows";
  if (terms.keep_firing_for.count() > 0)
    text += ", kept firing for " + base::FormatDuration(terms.keep_firing_for);
  if (!silences.empty()) text += ", silent at times";
  return text + ": " + severity;
}

void Validate(const Rule& rule) {
  const std::string wrong = Objection(rule);
  if (!wrong.empty()) Refuse(rule, wrong);
}

void Refuse(const Rule& rule, const std::string& wrong) {
  throw base::ConfigError((rule.place.empty() ? "" : rule.place + ": ") + "rule '" + rule.name +
                          "': " + wrong);
}

}  // namespace flowcast::alert
