// What is forecast for a link, and how sure it is.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/time.h"

namespace flowcast::forecast {

/// Probabilities of the published quantiles, ascending, 0.5 among them.
inline constexpr double kQuantileLevels[] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};
inline constexpr std::size_t kQuantileCount = std::size(kQuantileLevels);
inline constexpr std::size_t kMedian = 3;  // index of 0.5

/// How much a reader should trust a forecast. The first rule that holds decides, in the order
/// warming up, degraded, naive, good.
enum class Quality {
  kWarmingUp,  // "warming_up": fewer settled forecasts than the interval needs (40)
  kNaive,      // "naive": no model value in this forecast: only experts that learn from this link alone
  kGood,       // "good": with a model, and none of the other rules holds
  kDegraded,   // "degraded": the live record's MAE is above kDegradedRatio x that of persistence
};
inline constexpr double kDegradedRatio = 1.05;
std::string_view ToString(Quality quality);

struct ExpertOpinion {
  std::string name;  // one of kExpertNames (expert.h, docs/formats.md)
  double value = 0;  // raw units of the target
  double weight = 0;
};

/// What a model says of a link, raw units; by position of the forecaster's horizons.
struct ModelOpinion {
  std::string name;                            // "xgboost" or "lstm"
  std::vector<double> medians;                 // not-a-number: nothing to say of this horizon
  std::vector<std::vector<double>> quantiles;  // kQuantileCount a horizon; or empty
};

/// The live record of a link and horizon over its last settled forecasts.
struct LiveRecord {
  std::uint64_t settled = 0;  // forecasts whose truth has arrived, since this link began
  double mae = 0;             // over the last 200 to 250 of them
  double mae_persistence = 0;
  double coverage_90 = 0;  // measured share of truths within the 0.05 and 0.95 quantiles
  /// 1 - mae / mae_persistence; none while persistence has made no error.
  std::optional<double> skill() const {
    return mae_persistence > 0 ? std::optional(1 - mae / mae_persistence) : std::nullopt;
  }
};

/// One horizon of a forecast. Raw units of the target per window.
struct HorizonForecast {
  int horizon_windows = 1;
  base::EventTime target_start = base::kBeginningOfTime;  // start of the window that is forecast
  std::vector<double> quantiles;                          // kQuantileCount, ascending, never negative
  std::vector<ExpertOpinion> experts;                     // those that said something
  LiveRecord record;
  double median() const { return quantiles[kMedian]; }
};

struct Forecast {
  std::string link;
  base::EventTime made_at = base::kBeginningOfTime;  // end of the last window known, event time
  base::Duration window_length{};
  std::string target;  // name of the feature: "packets" or "bytes"
  double last_actual = 0;
  std::vector<HorizonForecast> horizons;
  LiveRecord record;  // of the first horizon
  Quality quality = Quality::kWarmingUp;
  std::string model_version;  // empty: no model
};

}  // namespace flowcast::forecast
