// Comparing forecasts with thresholds.
#include "libs/alert/judgement.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace flowcast::alert {
namespace {

double QuantileOf(const forecast::HorizonForecast& horizon, double level) {
  std::size_t i = 0;
  while (i + 1 < forecast::kQuantileCount && forecast::kQuantileLevels[i] < level - 1e-9) ++i;
  return horizon.quantiles[i];
}

/// What the condition compares: whatever is above `limit` holds, what is below `clear` clears.
struct Bounds {
  double threshold;  // of the target
  double limit;
  double clear;
};

std::optional<Bounds> BoundsOf(const Rule& rule, const forecast::Forecast& forecast, const Known& known) {
  const auto resolve = [&](const Threshold& threshold) {
    return Resolve(threshold, forecast.link, forecast.window_length, known.capacities, known.percentiles);
  };
  const auto threshold = resolve(rule.threshold);
  if (!threshold) return std::nullopt;
  if (rule.on.kind == Measure::Kind::kProbability) {
    const double clear = rule.clear.probability.value_or(rule.clear.ratio * rule.on.level);
    return Bounds{*threshold, rule.on.level, clear};
  }
  if (!rule.clear.absolute) return Bounds{*threshold, *threshold, rule.clear.ratio * *threshold};
  const auto clear = resolve(*rule.clear.absolute);
  if (!clear) return std::nullopt;
  return Bounds{*threshold, *threshold, std::min(*clear, *threshold)};
}

double Measured(const Rule& rule, const forecast::HorizonForecast& horizon, double threshold) {
  switch (rule.on.kind) {
    case Measure::Kind::kMedian:
      return horizon.median();
    case Measure::Kind::kQuantile:
      return QuantileOf(horizon, rule.on.level);
    case Measure::Kind::kProbability:
      return ProbabilityAbove(horizon, threshold);
  }
  return 0;
}

Condition Compare(const Rule& rule, const forecast::HorizonForecast& horizon, const Bounds& bounds) {
  const double measured = Measured(rule, horizon, bounds.threshold);
  return {measured > bounds.limit, measured < bounds.clear};
}

Judgement JudgeAny(const Rule& rule, const forecast::Forecast& forecast, const Bounds& bounds) {
  Judgement judgement{{.holds = false, .clears = true}, 0, bounds.threshold};
  for (std::size_t i = 0; i < forecast.horizons.size(); ++i) {
    const Condition one = Compare(rule, forecast.horizons[i], bounds);
    if (one.holds) return {one, i, bounds.threshold};
    judgement.condition.clears = judgement.condition.clears && one.clears;
  }
  return judgement;
}

std::optional<Judgement> JudgeLoad(const Rule& rule, const forecast::Forecast& forecast, const Known& known) {
  const auto bounds = BoundsOf(rule, forecast, known);
  if (!bounds) return std::nullopt;
  if (rule.horizon == Rule::kAny) return JudgeAny(rule, forecast, *bounds);
  const auto& horizons = forecast.horizons;
  auto horizon = horizons.begin();
  if (rule.horizon != Rule::kNearest) {
    horizon = std::find_if(horizons.begin(), horizons.end(),
                           [&rule](const auto& one) { return one.horizon_windows == rule.horizon; });
  }
  if (horizon == horizons.end()) return std::nullopt;
  return Judgement{Compare(rule, *horizon, *bounds),
                   static_cast<std::size_t>(std::distance(horizons.begin(), horizon)), bounds->threshold};
}

std::optional<Judgement> JudgeQuiet(const Rule& rule, const forecast::Forecast& forecast,
                                    const Known& known) {
  const auto resolve = [&](const Threshold& threshold) {
    return Resolve(threshold, forecast.link, forecast.window_length, known.capacities, known.percentiles);
  };
  const auto level = resolve(rule.threshold);
  const auto clear = rule.clear.absolute ? resolve(*rule.clear.absolute) : level;
  if (!level || !clear) return std::nullopt;
  const bool holds = forecast.last_actual <= *level;
  return Judgement{{holds, !holds && forecast.last_actual > *clear}, 0, *level};
}

}  // namespace

std::optional<Judgement> Judge(const Rule& rule, const forecast::Forecast& forecast, const Known& known) {
  switch (rule.kind) {
    case Kind::kLoad:
      return JudgeLoad(rule, forecast, known);
    case Kind::kQuiet:
      return JudgeQuiet(rule, forecast, known);
    case Kind::kDegraded: {
      const bool holds = forecast.quality == forecast::Quality::kDegraded;
      return Judgement{{holds, !holds}, 0, 0};
    }
  }
  return std::nullopt;
}

}  // namespace flowcast::alert
