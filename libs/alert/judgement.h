// Whether a rule's condition holds in one window.
#pragma once

#include <cstddef>
#include <optional>

#include "libs/alert/rule.h"
#include "libs/forecast/forecast.h"

namespace flowcast::alert {

/// What is known of links beside their forecasts.
struct Known {
  const Capacities& capacities;
  const PercentilesByLink& percentiles;  // of the forecast's target
};

struct Judgement {
  Condition condition;
  std::size_t horizon = 0;  // position in the forecast of the one that is spoken of
  double threshold = 0;     // target a window; 0 for degraded
};

/// Nothing when the rule cannot be applied: no capacity or percentile is known, or its horizon is not
/// forecast. The forecast has a horizon at least and is of the rule's target.
std::optional<Judgement> Judge(const Rule& rule, const forecast::Forecast& forecast, const Known& known);

}  // namespace flowcast::alert
