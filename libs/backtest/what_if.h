// What would be forecast, were a feature's newest value another one.
#pragma once

#include <string>
#include <vector>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

/// Of the newest step.
struct Change {
  std::string feature;
  double value = 0;  // raw unit of the feature
};

/// "feature=value". Throws base::ConfigError that lists the features there are, or says what a value is.
Change ParseChange(const std::string& text, const Series& series);

struct WhatIf {
  struct Opinion {
    std::string name;  // experts in their order, then the mixture
    double before = 0;
    double after = 0;
  };
  Change change;
  double was = 0;                                // what the feature's newest value is
  std::vector<std::vector<Opinion>> by_horizon;  // of the steps after the last one
};

/// Every expert that has an opinion gives it twice. The online ones see the target only.
WhatIf WhatIfOf(Backtester& backtester, const Change& change);

}  // namespace flowcast::backtest
