// Rules tried on windows that are there already: what they would have raised, and whether it came.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/alert/link_alerts.h"
#include "libs/forecast/link_forecaster.h"

namespace flowcast::alert {

/// A whole window of a link.
struct Sample {
  std::string link;
  base::EventTime start = base::kBeginningOfTime;
  base::Duration length{};
  std::map<std::string, double> values;  // by target
};

/// An alert that fired, and what became of it.
struct Episode {
  Alert fired;
  std::optional<base::EventTime> resolved_at;
  std::optional<base::EventTime> passed_at;  // load: start of the first window above the threshold since
  bool was_above = false;                    // load: already when it fired

  /// From when it fired to the end of that window, when the excess would have been seen; 0 when it had been
  /// seen already; nothing when it never came.
  std::optional<double> LeadSeconds() const;
};

struct RehearsalOptions {
  std::vector<int> horizons{1, 2, 3, 6, 12};
  std::size_t warm_up = 16;  // windows of a link in a row before it is forecast, as a sequence's length
};

/// Forecasts as flowcast-inference does without a model and without a usual load, and follows the rules.
class Rehearsal {
 public:
  /// Throws base::ConfigError for rules about other horizons.
  Rehearsal(RuleSet rules, RehearsalOptions options);

  /// In order of time for each link; older ones are left out. Values that the rules ask for and that are not
  /// there are left out, too.
  void Add(const Sample& sample);

  /// In the order in which they fired.
  const std::vector<Episode>& episodes() const { return episodes_; }
  const RuleSet& rules() const { return rules_; }
  /// Windows that were forecast from.
  std::uint64_t forecasts() const { return forecasts_; }

 private:
  struct Link {
    std::map<std::string, forecast::LinkForecaster> forecasters;  // by target
    LinkAlerts alerts;
    base::EventTime next_start = base::kBeginningOfTime;
    base::Duration length{};
    std::size_t run = 0;            // windows in a row
    std::vector<std::size_t> open;  // episodes that wait for what becomes of them
  };
  void Check(const Sample& sample, Link& link);
  void Take(const std::vector<Alert>& changes, Link& link);

  RuleSet rules_;
  RehearsalOptions options_;
  std::vector<std::string> targets_;
  std::map<std::string, Link> links_;
  std::vector<Episode> episodes_;
  std::uint64_t forecasts_ = 0;
};

}  // namespace flowcast::alert
