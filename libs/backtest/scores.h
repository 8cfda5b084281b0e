// Scores of a back-test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

struct ExpertScore {
  std::string name;
  double mae = 0;
  double rmse = 0;
  std::optional<double> skill_mae;  // 1 - mae / mae of persistence; absent when persistence made no error
};

/// Of the mixture, where a name says nothing else.
struct HorizonScore {
  int horizon = 1;
  std::size_t scored = 0;
  std::vector<ExpertScore> experts;  // persistence first, "flowcast" last
  std::optional<double> mase;        // mae / mae of the one-step (season: one-season) naive on the training part
  std::optional<double> smape;       // mean of 2 |error| / (|actual| + |forecast|), where one of them is not 0
  std::optional<double> r2;          // absent when the actuals are constant
  double pinball = 0;                // mean over steps and levels of the quantile loss
  double coverage_90 = 0;            // share of actuals within the 0.05 and 0.95 quantiles
  const ExpertScore& of(std::string_view name) const;
};

HorizonScore ScoreOf(const Series& series, const Options& options, const HorizonRun& run);

}  // namespace flowcast::backtest
