// The walk along a series: every step is forecast, then its truth is told.
#pragma once

#include <vector>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

struct Walk {
  std::vector<HorizonRun> horizons;  // of the steps from the cut on
  forecast::Forecast last;           // from the last step
};

/// `answers` are what the models say, one of each.
Walk WalkAlong(const Series& series, const Options& options, const Sequences& sequences,
               const std::vector<Answers>& answers);

}  // namespace flowcast::backtest
