// What alerts on the forecast would have been worth.
#pragma once

#include <optional>
#include <string>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

/// A rule says of a step, `horizon` steps before, that it will be above the threshold. An episode is a run of
/// steps above it. Lead: for each episode that was announced, from the step at which its beginning was
/// announced to its end (the horizon, in seconds); 0 when only later steps of it were.
struct AlertScore {
  std::size_t announced = 0;  // steps
  std::size_t above = 0;      // steps
  std::size_t right = 0;      // announced and above
  std::size_t episodes = 0;
  std::size_t episodes_found = 0;   // with a step that was announced
  std::optional<double> precision;  // right / announced
  std::optional<double> recall;     // right / above
  std::optional<double> lead_s;     // mean over the episodes that were found
};

/// Of the rule "above with more than this probability", which at 0.5 is the published median's, and of the
/// reactive rule "the last window was above": its lead is 0, since it speaks when the load is there.
struct AlertComparison {
  double threshold = 0;
  double probability = 0.5;
  AlertScore forecast;
  AlertScore reactive;
};

/// A number, or a quantile of the training part such as "p95". Throws base::ConfigError.
double ThresholdOf(const std::string& text, const Series& series, const Options& options);

AlertComparison CompareAlerts(const HorizonRun& run, double threshold, double step_s,
                              double probability = 0.5);

}  // namespace flowcast::backtest
