// The online forecaster of one link: experts, their mixture, the interval, the live record.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/forecast/conformal.h"
#include "libs/forecast/expert.h"
#include "libs/forecast/forecast.h"
#include "libs/forecast/mixture.h"

namespace flowcast::forecast {

struct ForecasterOptions {
  std::string target = "packets";
  base::Duration window_length = std::chrono::seconds(5);
  int horizon_windows = 1;
};

/// A forecast whose truth has arrived.
struct Settled {
  base::EventTime target_start;
  double actual = 0;
  double median = 0;
  double low = 0;   // 0.05 quantile
  double high = 0;  // 0.95 quantile
  double persistence = 0;
  bool had_model = false;
};

/// Deterministic: the same calls give the same results. Values are raw target units, finite and
/// not negative; others are ignored and counted. Windows arrive in order; a gap forgets what was
/// pending across it.
class LinkForecaster {
 public:
  LinkForecaster(std::string link, const ForecasterOptions& options);

  /// Tells the truth about the window that starts at `start`; learns from the forecast made for
  /// it, if there was one, and returns that. Repeats and older windows are ignored (and counted).
  std::optional<Settled> Observe(base::EventTime start, double actual);

  /// Forecasts from the last observed window. `model_value` is the model's own forecast, raw
  /// units, if there is a model and its output is finite.
  Forecast Predict(std::optional<double> model_value, const std::string& model_version);

  std::uint64_t ignored() const { return ignored_; }

 private:
  struct Pending {
    base::EventTime target_start;
    std::vector<double> opinions;  // by expert, the model's last; NaN-free, absent ones repeat persistence
    std::vector<double> quantiles;
    bool had_model = false;
  };

  std::string link_;
  ForecasterOptions options_;
  std::vector<std::unique_ptr<Expert>> experts_;
  Mixture mixture_;
  ConformalQuantiles interval_;
  RecentRecord record_;
  std::deque<Pending> pending_;
  std::optional<base::EventTime> last_start_;
  double last_actual_ = 0;
  double scale_ = 0;  // running mean absolute error of persistence: the unit of losses and residuals
  std::uint64_t ignored_ = 0;
};

}  // namespace flowcast::forecast
