// How good a model is on the part that is fitted: what may choose settings.
#pragma once

#include <functional>
#include <optional>

#include "libs/backtest/backtest.h"

namespace flowcast::backtest {

inline constexpr std::size_t kFolds = 3;
inline constexpr double kFoldShare = 0.15;  // of the fitted part, each

/// Rolling origin within the first `train_fraction` of the series; what follows is never looked at. Each fold
/// is kFoldShare of that part, the last ones of it, and is forecast by a model that is fitted to all before.
/// Gives the mean over the newest `folds` folds and the horizons of the mean absolute error, as a share of
/// that of persistence. Nothing when `stop` said true in the middle (it is asked between epochs, too), when
/// there is too little to learn from, or persistence makes no error. Throws base::ConfigError as Backtester
/// does.
std::optional<double> ValidationLoss(const Series& series, const Options& options, const Model& model,
                                     std::size_t folds, const std::function<bool()>& stop);

}  // namespace flowcast::backtest
