// What an alert says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/time.h"
#include "libs/forecast/forecast.h"

namespace flowcast::alert {

enum class State { kPending, kFiring, kResolved };
std::string_view ToString(State state);

/// What a rule watches: "load" what is forecast, "degraded" the word for the forecast's quality, "quiet" the
/// last window itself.
enum class Kind { kLoad, kDegraded, kQuiet };
std::string_view ToString(Kind kind);

/// Why an alert is no more: "cleared", "rule_changed" (its rule is gone or another one), "silent" (nothing is
/// heard of its link any more), "forgotten" (its link is).
enum class Reason { kCleared, kRuleChanged, kSilent, kForgotten };
std::string_view ToString(Reason reason);

/// One horizon of the forecast behind an alert.
struct HorizonQuantiles {
  int horizon_windows = 1;
  base::EventTime target_start = base::kBeginningOfTime;
  std::vector<double> quantiles;  // forecast::kQuantileCount
  bool operator==(const HorizonQuantiles&) const = default;
};

/// What is published when an alert changes. Times are event time.
struct Alert {
  std::string fingerprint;  // of rule, link and target: the same for every repeat of the condition
  State state = State::kFiring;
  std::string rule;
  std::string severity;
  std::string link;
  Kind kind = Kind::kLoad;
  std::string target;
  double threshold = 0;    // units of the target a window; 0 where the kind has none
  double predicted = 0;    // median
  double low = 0;          // 0.05 quantile
  double high = 0;         // 0.95 quantile
  double probability = 0;  // of being above the threshold, from the quantiles; 0 where the kind has none
  double last_actual = 0;  // of the last window known
  std::optional<double> capacity_bps;
  std::string quality;  // word of the forecast
  base::EventTime started_at =
      base::kBeginningOfTime;               // end of the window known when the condition first held
  std::optional<base::EventTime> fired_at;  // absent while pending, and when it went away before it fired
  base::EventTime resolved_at = base::kBeginningOfTime;   // meaningful when resolved
  Reason reason = Reason::kCleared;                       // meaningful when resolved
  base::EventTime made_at = base::kBeginningOfTime;       // end of the last window known
  base::EventTime target_start = base::kBeginningOfTime;  // start of the window that the forecast is about
  base::Duration window_length{};
  int horizon_windows = 1;
  std::vector<HorizonQuantiles> forecasts;  // all horizons, ascending
  std::map<std::string, std::string> labels;
  std::string runbook;  // a URL; empty: none
  std::string model_version;
  /// A silence covers it; of a resolved one: nobody was told of it outside one.
  bool silenced = false;
  std::string summary;  // one sentence for people

  bool operator==(const Alert&) const = default;
};

/// FNV-1a in 16 hexadecimal digits.
std::string Fingerprint(const std::string& rule, const std::string& link, const std::string& target);

/// From the end of the last window known to the end of the one that the forecast is about.
double LeadSeconds(const Alert& alert);

/// P(load > threshold) from the quantiles, linear between them; beyond the outermost ones their
/// own probability is halved, since nothing more is known.
double ProbabilityAbove(const forecast::HorizonForecast& forecast, double threshold);

}  // namespace flowcast::alert
