// What each feature is worth to the forecast.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

/// By how much the mean absolute error rises when a feature is of no use: permutation importance (Breiman,
/// "Random Forests", 2001; Fisher et al. 2019).
struct Importance {
  struct Rise {
    std::string name;  // of a model, or of the mixture
    std::optional<double>
        share;  // error with the feature shuffled / error - 1; absent when there was no error
  };
  std::string feature;                        // "season": the usual load of the coming windows
  std::vector<std::vector<Rise>> by_horizon;  // the models, then the mixture
};

/// For each scored step the models see the feature's column of another one's sequence, by one permutation of
/// them; the fitted models stay, the mixture learns anew whom to believe. The same seed gives the same
/// result. Costs a walk for each feature.
std::vector<Importance> ImportanceOf(Backtester& backtester, std::uint64_t seed);

}  // namespace flowcast::backtest
