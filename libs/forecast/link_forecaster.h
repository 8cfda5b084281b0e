// The online forecaster of one link: experts, their mixture, the interval, the live record.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libs/forecast/forecast.h"
#include "libs/forecast/history.h"
#include "libs/forecast/interval.h"
#include "libs/forecast/mixture.h"
#include "libs/forecast/online_experts.h"
#include "libs/forecast/record.h"

namespace flowcast::forecast {

struct ForecasterOptions {
  std::string target = "packets";
  base::Duration window_length = std::chrono::seconds(5);
  std::vector<int> horizons{1, 2, 3, 6, 12};  // windows ahead, ascending, at least 1
  MixtureOptions mixture;                     // at one window ahead; rate and share go with 1 / sqrt(horizon)
  IntervalOptions interval;
};

/// Throws base::ConfigError for horizons that are none, not ascending or beyond kFurthestHorizon.
void CheckHorizons(const std::vector<int>& horizons);
inline constexpr int kFurthestHorizon = 1000;
inline constexpr std::size_t kMostHorizons = 64;

/// Larger values of the target are taken for damage.
inline constexpr double kLargestValue = 1e18;

/// The median departs from persistence by at most this times the mean error of persistence lately: one step
/// costs no more than that beside persistence, whatever the experts say.
inline constexpr double kFurthestDeparture = 6;

/// A forecast whose truth has arrived. Values of the forecast are rounded to float.
struct Settled {
  base::EventTime target_start;
  double actual = 0;
  double median = 0;
  double low = 0;   // 0.05 quantile
  double high = 0;  // 0.95 quantile
  double persistence = 0;
  bool had_model = false;
  int horizon_windows = 1;
};

/// What is known beside the link's values when a forecast is made.
struct Outlook {
  std::span<const ModelOpinion>
      models;  // a median below 0 is taken as 0; not finite: absent (infinite: counted)
  std::string model_version;
  Season season;  // ahead: by position of the horizons
};

/// Deterministic: the same calls give the same results. Values are raw target units, between 0 and
/// kLargestValue; others are ignored and counted. Windows arrive in order; a gap forgets what was pending
/// across it. For each horizon the median is the mixture's weighted mean of the experts' values, weighted by
/// RelativeLoss of the absolute errors; a truth is a lesson for the forecast that was made `horizon` windows
/// before; kFurthestDeparture bounds it. Below 4 KiB a link at five horizons.
class LinkForecaster {
 public:
  /// Throws base::ConfigError as CheckHorizons does.
  explicit LinkForecaster(const ForecasterOptions& options);
  /// Shares the options with other links.
  explicit LinkForecaster(std::shared_ptr<const ForecasterOptions> options);
  LinkForecaster(LinkForecaster&&) = default;
  LinkForecaster& operator=(LinkForecaster&&) = default;

  /// Tells the truth about the window that starts at `start`; learns from the forecasts made for it, and
  /// returns those, by horizon. Repeats and older windows are ignored (and counted).
  std::vector<Settled> Observe(base::EventTime start, double actual);

  /// Forecasts from the last observed window (the link's name is left to the caller); asked again, the later
  /// answer counts. Before the first window everything is 0 and nothing is pending. Models of other names
  /// than kExpertNames has are counted and not heard; the first one with quantiles is asked for the interval.
  Forecast Predict(const Outlook& outlook = {});

  /// What it has learned and waits to learn from, as bytes: little-endian, for this version of flowcast.
  std::string Save();
  /// Goes on where the one stood that Save was asked of. False, and afresh, when the bytes are not of a
  /// forecaster with these options, or damaged.
  bool Restore(std::string_view bytes);

  base::Duration window_length() const { return options_->window_length; }
  /// Values of Observe and Predict that were not used: out of range, repeated or old, not finite, unknown
  /// names.
  std::uint64_t ignored() const { return ignored_; }
  /// What the intervals had to bound; see Interval.
  std::uint64_t clipped() const;

 private:
  static constexpr std::size_t kExperts = kExpertNames.size();
  using Opinions = std::array<float, kExperts>;

  /// What is remembered of a forecast until its truth arrives; of its median not-a-number: nothing.
  struct Pending {
    void Remember(const Opinions& opinions);
    /// `last` is the last value that was known then, which is persistence's opinion.
    Opinions Recall(float last) const;
    bool HadModel() const;

    [[no_unique_address]] Interval::Asked asked{.median = kUnknown};
    std::array<Brief, kExperts - 1> others{};  // opinions less that of persistence
  };
  /// What is the same for all links at a horizon.
  struct Terms {
    MixtureRates mixture;
    Interval::Terms interval;
  };
  /// One horizon.
  struct Track {
    explicit Track(const ForecasterOptions& options);
    void Learn(const Opinions& opinions, const Interval::Asked& asked, double actual, const Terms& terms);
    /// What the mixture makes of these opinions, within kFurthestDeparture.
    double MedianOf(const Opinions& opinions, const MixtureRates& rates) const;

    float scale = 0;  // mean absolute error of persistence at this horizon, lately
    Mixture mixture;
    RecentRecord record;
    Interval interval;
  };

  void Visit(StateVisitor& state);
  bool Accepts(base::EventTime start, double actual) const;
  void Interrupt();
  /// By horizon and expert; kUnknown where there is none.
  std::vector<Opinions> Ask(const Outlook& outlook);
  void AddModels(const Outlook& outlook, std::vector<Opinions>& opinions);
  HorizonForecast MakeHorizon(std::size_t position, const Opinions& opinions, const Outlook& outlook);
  /// The forecast of this horizon that is made at this step, and the one whose truth arrives at it.
  Pending& PendingOf(std::size_t horizon);
  std::span<Pending> pending() { return {pending_.get(), WindowsOfAll(options_->horizons)}; }
  Terms TermsOf(std::size_t horizon) const;
  Quality Judge(bool has_model) const;

  std::shared_ptr<const ForecasterOptions> options_;
  History history_;
  std::unique_ptr<OnlineExperts> experts_;
  std::vector<Track> tracks_;
  std::unique_ptr<Pending[]> pending_;  // a ring a horizon, by step
  std::optional<base::EventTime> last_start_;
  double last_actual_ = 0;
  std::size_t step_ = 0;
  std::uint64_t ignored_ = 0;
};

}  // namespace flowcast::forecast
