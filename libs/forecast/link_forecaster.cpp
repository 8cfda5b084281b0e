// The online forecaster of one link.
#include "libs/forecast/link_forecaster.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flowcast::forecast {
namespace {

constexpr std::string_view kModelName = "lstm";
constexpr double kScaleMemory = 50;  // settled forecasts that the scale looks back on

// By expert, the model last. Persistence is trusted until another has earned it.
std::vector<double> StartingWeights() { return {0.86, 0.08, 0.01, 0.05}; }

// Losses and misses h windows ahead overlap: h of them tell about as much as one.
MixtureOptions ForHorizon(MixtureOptions options, int horizon) {
  options.learning_rate /= horizon;
  options.share /= horizon;
  return options;
}

IntervalOptions ForHorizon(IntervalOptions options, int horizon) {
  options.correction /= horizon;
  return options;
}

bool IsValue(double value) { return value >= 0 && value <= kLargestValue; }

std::optional<double> Usable(std::optional<double> model_value) {
  if (!model_value || std::isnan(*model_value)) return std::nullopt;
  const double value = std::max(0.0, *model_value);
  return value <= kLargestValue && std::isfinite(*model_value) ? std::optional(value) : std::nullopt;
}

}  // namespace

LinkForecaster::LinkForecaster(std::string link, const ForecasterOptions& options)
    : link_(std::move(link)),
      options_(options),
      experts_(MakeExperts()),
      mixture_(StartingWeights(), ForHorizon(options.mixture, options.horizon_windows)),
      interval_(ForHorizon(options.interval, options.horizon_windows)) {}

bool LinkForecaster::Accepts(base::EventTime start, double actual) const {
  return IsValue(actual) && (!last_start_ || start > *last_start_);
}

std::optional<Settled> LinkForecaster::Observe(base::EventTime start, double actual) {
  if (!Accepts(start, actual)) {
    ++ignored_;
    return std::nullopt;
  }
  if (last_start_ && start != *last_start_ + options_.window_length) pending_.clear();
  const std::optional<Settled> settled = Settle(start, actual);
  for (const auto& expert : experts_) expert->Observe(actual);
  last_start_ = start;
  last_actual_ = actual;
  return settled;
}

std::optional<Settled> LinkForecaster::Settle(base::EventTime start, double actual) {
  while (!pending_.empty() && pending_.front().target_start < start) pending_.pop_front();
  if (pending_.empty() || pending_.front().target_start != start) return std::nullopt;
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  Learn(pending, actual);
  return Settled{start,
                 actual,
                 pending.quantiles[kMedian],
                 pending.quantiles.front(),
                 pending.quantiles.back(),
                 pending.opinions.front(),
                 pending.had_model};
}

void LinkForecaster::Learn(const Pending& pending, double actual) {
  const double persistence_error = std::abs(pending.opinions.front() - actual);
  scaled_ = std::min(scaled_ + 1, static_cast<std::uint64_t>(kScaleMemory));
  scale_ += (persistence_error - scale_) / static_cast<double>(scaled_);

  // Smallest number above 0: on a constant link any error is a whole loss.
  const double unit = kLossUnit * std::max(pending.scale, std::numeric_limits<double>::min());
  std::vector<double> losses;
  for (const double opinion : pending.opinions) {
    losses.push_back(
        std::clamp(0.5 + (std::abs(opinion - actual) - persistence_error) / (2 * unit), 0.0, 1.0));
  }
  if (!pending.had_model) losses.back() = std::numeric_limits<double>::quiet_NaN();
  mixture_.Learn(losses);

  interval_.Learn(actual, pending.quantiles, pending.scale > 0 ? pending.scale : scale_);
  const bool covered = actual >= pending.quantiles.front() && actual <= pending.quantiles.back();
  record_.Add(pending.quantiles[kMedian] - actual, persistence_error, covered);
}

Forecast LinkForecaster::Predict(std::optional<double> model_value, const std::string& model_version) {
  const std::optional<double> model = Usable(model_value);
  if (model_value && !model) ++ignored_;
  Pending pending;
  for (const auto& expert : experts_) pending.opinions.push_back(expert->Forecast(options_.horizon_windows));
  pending.opinions.push_back(model.value_or(pending.opinions.front()));
  pending.quantiles = interval_.Around(std::max(0.0, mixture_.Combine(pending.opinions)), scale_);
  pending.scale = scale_;
  pending.had_model = model.has_value();

  Forecast forecast;
  if (last_start_) {
    forecast.made_at = *last_start_ + options_.window_length;
    pending.target_start = *last_start_ + options_.window_length * options_.horizon_windows;
  }
  forecast.link = link_;
  forecast.window_length = options_.window_length;
  forecast.target = options_.target;
  forecast.last_actual = last_actual_;
  forecast.horizons.push_back(MakeHorizon(pending));
  forecast.record = record_.Summary();
  forecast.quality = Judge(pending.had_model);
  if (model) forecast.model_version = model_version;
  if (!pending_.empty() && pending_.back().target_start == pending.target_start) pending_.pop_back();
  if (last_start_) pending_.push_back(std::move(pending));
  return forecast;
}

HorizonForecast LinkForecaster::MakeHorizon(const Pending& pending) const {
  std::vector<double> voices = mixture_.Voices();
  if (!pending.had_model) voices.front() += voices.back();
  HorizonForecast horizon;
  horizon.horizon_windows = options_.horizon_windows;
  horizon.target_start = pending.target_start;
  horizon.quantiles = pending.quantiles;
  for (std::size_t i = 0; i < experts_.size(); ++i) {
    horizon.experts.push_back({std::string(experts_[i]->name()), pending.opinions[i], voices[i]});
  }
  if (pending.had_model)
    horizon.experts.push_back({std::string(kModelName), pending.opinions.back(), voices.back()});
  return horizon;
}

Quality LinkForecaster::Judge(bool has_model) const {
  const LiveRecord record = record_.Summary();
  if (record.settled < options_.interval.enough) return Quality::kWarmingUp;
  if (record.mae > kDegradedRatio * record.mae_persistence) return Quality::kDegraded;
  return has_model ? Quality::kGood : Quality::kNaive;
}

}  // namespace flowcast::forecast
