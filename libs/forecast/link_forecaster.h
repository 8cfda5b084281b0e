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
#include "libs/forecast/record.h"

namespace flowcast::forecast {

struct ForecasterOptions {
  std::string target = "packets";
  base::Duration window_length = std::chrono::seconds(5);
  int horizon_windows = 1;  // at least 1
  MixtureOptions mixture;
  IntervalOptions interval;
};

/// Larger values of the target are taken for damage.
inline constexpr double kLargestValue = 1e18;

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

/// Deterministic: the same calls give the same results. Values are raw target units, between 0 and
/// kLargestValue; others are ignored and counted. Windows arrive in order; a gap forgets what was
/// pending across it. The median is the mixture's weighted mean; an expert's loss is
///   1/2 + (|error| - |error of persistence|) / (2 kLossUnit scale), clipped to [0, 1]:
/// the absolute error in units of the link's scale, less what persistence lost too, so that a burst
/// that surprised everybody is not clipped to a lesson for nobody. Learning rate, share and the
/// interval's correction are divided by the horizon. About 6 KB a link.
class LinkForecaster {
 public:
  LinkForecaster(std::string link, const ForecasterOptions& options);

  /// Tells the truth about the window that starts at `start`; learns from the forecast made for
  /// it, if there was one, and returns that. Repeats and older windows are ignored (and counted).
  std::optional<Settled> Observe(base::EventTime start, double actual);

  /// Forecasts from the last observed window; asked again, the later answer counts. `model_value` is
  /// the model's own forecast, raw units, if there is a model and its output is finite (below 0 is
  /// taken as 0, others are treated as absent). Without one the expert "lstm" is not listed, and its
  /// voice goes to persistence. Before the first window everything is 0 and nothing is pending.
  Forecast Predict(std::optional<double> model_value, const std::string& model_version);

  /// Values of Observe and Predict that were not used: out of range, repeated or old.
  std::uint64_t ignored() const { return ignored_; }

 private:
  static constexpr double kLossUnit = 16;

  struct Pending {
    base::EventTime target_start = base::kBeginningOfTime;
    std::vector<double> opinions;  // by expert, the model's last; NaN-free, absent ones repeat persistence
    std::vector<double> quantiles;
    double scale = 0;  // when it was made
    bool had_model = false;
  };

  bool Accepts(base::EventTime start, double actual) const;
  std::optional<Settled> Settle(base::EventTime start, double actual);
  void Learn(const Pending& pending, double actual);
  HorizonForecast MakeHorizon(const Pending& pending) const;
  Quality Judge(bool has_model) const;

  std::string link_;
  ForecasterOptions options_;
  std::vector<std::unique_ptr<Expert>> experts_;
  Mixture mixture_;
  ConformalQuantiles interval_;
  RecentRecord record_;
  std::deque<Pending> pending_;
  std::optional<base::EventTime> last_start_;
  double last_actual_ = 0;
  double scale_ = 0;          // running mean absolute error of persistence: the unit of losses and residuals
  std::uint64_t scaled_ = 0;  // errors that are in it
  std::uint64_t ignored_ = 0;
};

}  // namespace flowcast::forecast
