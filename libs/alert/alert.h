// The life of an alert: raised once when a load above the threshold is forecast, resolved once when it no
// longer is.
#pragma once

#include <optional>
#include <string>

#include "libs/base/time.h"
#include "libs/forecast/forecast.h"

namespace flowcast::alert {

enum class State { kFiring, kResolved };
std::string_view ToString(State state);

struct Alert {
  std::string fingerprint;  // of rule, link and target: the same for every repeat of the condition
  State state = State::kFiring;
  std::string rule;
  std::string severity;
  std::string link;
  std::string target;
  double threshold = 0;    // units of the target a window
  double predicted = 0;    // median
  double low = 0;          // 0.05 quantile
  double high = 0;         // 0.95 quantile
  double probability = 0;  // of being above the threshold, from the quantiles
  double last_actual = 0;  // of the last window known
  base::EventTime started_at =
      base::kBeginningOfTime;  // when it was first forecast (end of the window known then)
  base::EventTime resolved_at = base::kBeginningOfTime;   // meaningful when resolved
  base::EventTime target_start = base::kBeginningOfTime;  // start of the window that the forecast is about
  base::Duration window_length{};
  int horizon_windows = 1;
  std::string model_version;
  std::string summary;  // one sentence for people
};

struct RuleOptions {
  std::string name = "load";
  std::string severity = "warning";
  double clear_ratio = 0.9;  // resolved when the forecast is below this share of the threshold
};

/// What a rule remembers of a link.
struct Memory {
  bool firing = false;
  base::EventTime started_at = base::kBeginningOfTime;  // of the alert that is firing, or the last one
  bool operator==(const Memory&) const = default;
};

/// P(load > threshold) from the quantiles, linear between them; beyond the outermost ones their
/// own probability is halved, since nothing more is known.
double ProbabilityAbove(const forecast::HorizonForecast& forecast, double threshold);

/// One rule on one link. Raised when the first horizon's median is above the threshold, resolved
/// when it is below clear_ratio times the threshold; between the two nothing changes.
class LoadAlert {
 public:
  /// `options` must outlive it. `memory` is of an earlier one, to go on from.
  explicit LoadAlert(const RuleOptions& options, const Memory& memory = {})
      : options_(&options), memory_(memory) {}
  explicit LoadAlert(RuleOptions&& options, const Memory& memory = {}) = delete;

  /// The change that this forecast brings, if any.
  std::optional<Alert> Evaluate(const forecast::Forecast& forecast, double threshold);
  bool firing() const { return memory_.firing; }
  const Memory& memory() const { return memory_; }

 private:
  Alert Describe(const forecast::Forecast& forecast, double threshold) const;

  const RuleOptions* options_;
  Memory memory_;
};

}  // namespace flowcast::alert
