// A rule: which links it watches for what, and what it says when that comes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/alert/alert.h"
#include "libs/alert/life.h"
#include "libs/alert/silence.h"
#include "libs/alert/threshold.h"

namespace flowcast::alert {

/// What of a forecast is compared with the threshold.
struct Measure {
  enum class Kind { kMedian, kQuantile, kProbability };
  Kind kind = Kind::kMedian;
  double level = 0.5;  // of the quantile; or the probability that must be passed

  /// "median", "quantile 0.9", "probability > 0.8". Throws base::ConfigError.
  static Measure Parse(const std::string& text);
  std::string Text() const;
  bool operator==(const Measure&) const = default;
};

/// When a firing alert is over. Between that and the condition nothing changes.
struct Clear {
  double ratio = 0.9;                 // below this share of the threshold, or of the probability
  std::optional<Threshold> absolute;  // below this (quiet: above) instead
  std::optional<double> probability;  // below this instead; for probabilities only

  bool operator==(const Clear&) const = default;
};

struct Rule {
  static constexpr int kNearest = 0;
  static constexpr int kAny = -1;

  std::string name = "load";
  std::vector<std::string> links{"*"};  // patterns; base::MatchesPattern
  std::vector<std::string> except;      // patterns, of those
  Kind kind = Kind::kLoad;
  std::string target = "packets";
  int horizon = kNearest;  // windows ahead; kAny: the first for which it holds
  Threshold threshold;     // quiet: at or below it; degraded: without meaning
  Measure on;              // of load
  Clear clear;
  Terms terms;
  std::string severity = "warning";
  std::map<std::string, std::string> labels;
  std::string runbook;
  std::vector<Silence> silences;
  std::string place;  // where it stands, for errors: "rules.toml:3:1"; not part of it

  bool Watches(const std::string& link) const;
  bool IsSilent(base::EventTime time) const;
  /// Of what makes its alerts what they are: name, condition, life, severity and labels. A rule with another
  /// one takes nothing over; links, silences and runbook may change underneath an alert.
  std::uint64_t hash() const;
  /// In a line: "load: bytes above 80% on lab/*, ...".
  std::string Text() const;
};

/// What the parts mean together. Throws base::ConfigError that begins with the rule's place, if it has one.
void Validate(const Rule& rule);
/// Throws that error.
[[noreturn]] void Refuse(const Rule& rule, const std::string& wrong);

}  // namespace flowcast::alert
