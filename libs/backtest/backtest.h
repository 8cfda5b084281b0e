// The rolling-origin back-test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/backtest/answers.h"
#include "libs/backtest/examples.h"
#include "libs/backtest/series.h"
#include "libs/base/clock.h"
#include "libs/forecast/link_forecaster.h"

namespace flowcast::backtest {

struct Options {
  std::vector<int> horizons{1, 2, 3, 6, 12};
  std::size_t length = feature::kDefaultSequenceLength;
  std::size_t season = 0;  // steps; 0: none
  double train_fraction = 0.7;
  feature::Scaling scaling = feature::Scaling::kRobust;
};

/// What was said of every scored step, in their order.
struct HorizonRun {
  int horizon = 1;
  std::vector<double> actual;
  std::vector<std::pair<std::string, std::vector<double>>>
      forecasts;                               // experts in their order, then "flowcast"
  std::vector<std::vector<double>> quantiles;  // forecast::kQuantileLevels
  const std::vector<double>& of(std::string_view name) const;
};

struct Run {
  std::string series;
  std::size_t steps = 0;
  std::size_t first_scored = 0;  // index of the first step that is scored; the same for all horizons
  std::vector<HorizonRun> horizons;
  double fit_seconds = 0;
  double forecast_seconds = 0;
  std::vector<std::string> notes;  // what a reader should know: a model that had too little to learn from
};

/// The first part of the series fits the models; every later step is then forecast from what was known
/// `horizon` steps before, by the forecaster that the inference runs: it sees the whole series in order, so
/// its mixture and intervals learn on the way. Models speak from the first scored step on. An expert that
/// says nothing of a step counts as persistence there; one that never does is left out.
class Backtester {
 public:
  /// Fits the models and walks along the series; all but the clock must outlive this. Throws
  /// base::ConfigError for a series that is too short, and for options that do not fit it.
  Backtester(const Series& series, const Options& options, const std::vector<Model>& models,
             const base::Clock& clock);

  const Run& run() const { return run_; }
  const Series& series() const { return series_; }
  const Options& options() const { return options_; }
  /// Those that had enough to learn from.
  std::vector<std::string> models() const;
  /// The forecast from the last step of the series, of steps that are not known.
  const forecast::Forecast& last() const { return last_; }

  /// The same walk, with models that saw a part of their inputs from other steps.
  std::vector<HorizonRun> WalkWith(const Shuffle& shuffle);
  /// What would be forecast from the last step, had the series been `other`: the same length and features,
  /// and different only in its newest steps.
  forecast::Forecast LastOf(const Series& other);

 private:
  std::vector<Answers> AskAll(const Shuffle* shuffle);

  const Series& series_;
  Options options_;
  std::size_t cut_;
  Sequences sequences_;
  std::vector<FittedModel> models_;
  std::vector<Answers> answers_;
  Run run_;
  forecast::Forecast last_;
};

/// The run alone.
Run Backtest(const Series& series, const Options& options, const std::vector<Model>& models,
             const base::Clock& clock);

/// Throws base::ConfigError for a series that is too short, and for options that do not fit it.
void Check(const Series& series, const Options& options);

/// Where the scored part begins.
std::size_t CutOf(const Series& series, const Options& options);

inline constexpr std::size_t kFewestSteps = 20;  // on each side of the cut

}  // namespace flowcast::backtest
