// Ties experts, mixture and interval together for one link.
#include "libs/forecast/link_forecaster.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::forecast {
namespace {

constexpr float kLossMemory = 20;

bool IsUsable(double value) { return std::isfinite(value) && value <= kLargestValue; }

MixtureOptions Slowed(MixtureOptions options, int windows) {
  const double slowness = std::sqrt(static_cast<double>(windows));
  options.learning_rate /= slowness;
  options.share /= slowness;
  return options;
}

std::optional<std::size_t> ModelNamed(const std::string& name) {
  const auto found = std::find(kExpertNames.begin() + kOnlineExperts, kExpertNames.end(), name);
  if (found == kExpertNames.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kExpertNames.begin());
}

std::span<const double> QuantilesOf(const Outlook& outlook, std::size_t horizon) {
  for (const ModelOpinion& model : outlook.models) {
    if (horizon < model.quantiles.size() && !model.quantiles[horizon].empty())
      return model.quantiles[horizon];
  }
  return {};
}

}  // namespace

void CheckHorizons(const std::vector<int>& horizons) {
  const bool ascends =
      std::adjacent_find(horizons.begin(), horizons.end(), std::greater_equal<>()) == horizons.end();
  if (!horizons.empty() && horizons.size() <= kMostHorizons && ascends && horizons.front() >= 1 &&
      horizons.back() <= kFurthestHorizon)
    return;
  throw base::ConfigError("the horizons must be ascending numbers of windows from 1 to " +
                          std::to_string(kFurthestHorizon) + ", at most " + std::to_string(kMostHorizons) +
                          " of them, like 1,2,3,6,12");
}

LinkForecaster::Track::Track(const ForecasterOptions& options, int ahead)
    : windows(ahead),
      mixture(kExperts, Slowed(options.mixture, ahead)),
      interval(options.interval, ahead),
      pending(static_cast<std::size_t>(ahead)) {}

LinkForecaster::LinkForecaster(std::string link, const ForecasterOptions& options)
    : LinkForecaster(std::move(link), std::make_shared<const ForecasterOptions>(options)) {}

LinkForecaster::LinkForecaster(std::string link, std::shared_ptr<const ForecasterOptions> options)
    : link_(std::move(link)), options_(std::move(options)), history_(1) {
  const std::vector<int>& horizons = options_->horizons;
  CheckHorizons(horizons);
  history_ = History(HistoryFor(horizons));
  experts_ = MakeExperts(horizons);
  tracks_.reserve(horizons.size());
  for (const int windows : horizons) tracks_.emplace_back(*options_, windows);
}

bool LinkForecaster::Accepts(base::EventTime start, double actual) const {
  return IsUsable(actual) && actual >= 0 && (!last_start_ || start > *last_start_);
}

void LinkForecaster::Interrupt() {
  history_.Clear();
  for (const auto& expert : experts_) expert->Interrupt();
  for (Track& track : tracks_) {
    for (Pending& pending : track.pending) pending.valid = false;
  }
}

std::vector<Settled> LinkForecaster::Observe(base::EventTime start, double actual) {
  std::vector<Settled> settled;
  if (!Accepts(start, actual)) {
    ++ignored_;
    return settled;
  }
  if (last_start_ && start != *last_start_ + options_->window_length) Interrupt();
  last_start_ = start;
  last_actual_ = actual;
  history_.Add(actual);
  for (const auto& expert : experts_) expert->Observe(history_);
  ++step_;
  for (Track& track : tracks_) {
    Pending& pending = track.pending[step_ % track.pending.size()];
    if (!pending.valid) continue;
    pending.valid = false;
    track.Learn(pending, actual);
    const auto value = [](float rounded) { return static_cast<double>(rounded); };
    settled.push_back({start, actual, value(pending.asked.median), value(pending.asked.low),
                       value(pending.asked.high), value(pending.opinions[0]), pending.had_model,
                       track.windows});
  }
  return settled;
}

void LinkForecaster::Track::Learn(const Pending& settled, double actual) {
  const auto error_of = [actual](float said) {
    return static_cast<double>(std::abs(said - static_cast<float>(actual)));
  };
  const double base = error_of(settled.opinions[0]);
  std::array<double, kExperts> losses{};
  for (std::size_t i = 0; i < kExperts; ++i) {
    losses[i] = std::isnan(settled.opinions[i])
                    ? std::numeric_limits<double>::quiet_NaN()
                    : RelativeLoss(error_of(settled.opinions[i]), base, static_cast<double>(scale));
  }
  mixture.Learn(losses);
  const double known = static_cast<double>(interval.count()) + 1;
  scale += static_cast<float>((base - static_cast<double>(scale)) /
                              std::min(known, static_cast<double>(kLossMemory)));
  interval.Learn(actual, settled.asked);
  const auto rounded = static_cast<float>(actual);
  record.Add(error_of(settled.asked.median), base,
             rounded >= settled.asked.low && rounded <= settled.asked.high);
}

double LinkForecaster::Track::MedianOf(const Opinions& opinions) const {
  const double combined = mixture.Combine(opinions);
  if (!(scale > 0)) return combined;
  const auto persistence = static_cast<double>(opinions[0]);
  const double furthest = kFurthestDeparture * static_cast<double>(scale);
  return std::clamp(combined, persistence - furthest, persistence + furthest);
}

std::vector<LinkForecaster::Opinions> LinkForecaster::Ask(const Outlook& outlook) {
  std::vector<Opinions> opinions(tracks_.size());
  for (Opinions& of_horizon : opinions) of_horizon.fill(kUnknown);
  std::vector<float> values(tracks_.size());
  for (std::size_t i = 0; i < experts_.size(); ++i) {
    experts_[i]->Forecast(history_, outlook.season, values);
    for (std::size_t h = 0; h < values.size(); ++h) opinions[h][i] = std::max(values[h], 0.0F);
    for (std::size_t h = 0; h < values.size(); ++h) {
      if (!std::isfinite(values[h])) opinions[h][i] = kUnknown;
    }
  }
  AddModels(outlook, opinions);
  return opinions;
}

void LinkForecaster::AddModels(const Outlook& outlook, std::vector<Opinions>& opinions) {
  for (const ModelOpinion& model : outlook.models) {
    const auto expert = ModelNamed(model.name);
    if (!expert || model.medians.size() != opinions.size()) {
      ++ignored_;
      continue;
    }
    for (std::size_t h = 0; h < opinions.size(); ++h) {
      if (IsUsable(model.medians[h])) {
        opinions[h][*expert] = static_cast<float>(std::max(0.0, model.medians[h]));
      } else if (!std::isnan(model.medians[h])) {
        ++ignored_;
      }
    }
  }
}

Forecast LinkForecaster::Predict(const Outlook& outlook) {
  Forecast forecast;
  forecast.link = link_;
  forecast.window_length = options_->window_length;
  forecast.target = options_->target;
  forecast.last_actual = last_actual_;
  if (last_start_) forecast.made_at = *last_start_ + options_->window_length;
  if (history_.size() == 0) history_.Add(0);
  const std::vector<Opinions> opinions = Ask(outlook);
  bool has_model = false;
  for (std::size_t h = 0; h < tracks_.size(); ++h) {
    forecast.horizons.push_back(MakeHorizon(tracks_[h], h, opinions[h], outlook));
    has_model = has_model || tracks_[h].pending[step_ % tracks_[h].pending.size()].had_model;
  }
  if (!last_start_) Interrupt();
  forecast.record = forecast.horizons.front().record;
  forecast.quality = Judge(has_model);
  if (has_model) forecast.model_version = outlook.model_version;
  return forecast;
}

HorizonForecast LinkForecaster::MakeHorizon(Track& track, std::size_t position, const Opinions& opinions,
                                            const Outlook& outlook) {
  Pending& pending = track.pending[step_ % track.pending.size()];
  pending.opinions = opinions;
  pending.valid = true;
  pending.had_model = std::any_of(opinions.begin() + kOnlineExperts, opinions.end(),
                                  [](float value) { return !std::isnan(value); });
  HorizonForecast horizon;
  horizon.horizon_windows = track.windows;
  if (last_start_) horizon.target_start = *last_start_ + options_->window_length * track.windows;
  horizon.quantiles =
      track.interval.Around(track.MedianOf(opinions), QuantilesOf(outlook, position), pending.asked);
  const auto voices = track.mixture.Voices(opinions);
  for (std::size_t i = 0; i < kExperts; ++i) {
    if (std::isnan(opinions[i])) continue;
    horizon.experts.push_back({std::string(kExpertNames[i]), static_cast<double>(opinions[i]), voices[i]});
  }
  horizon.record = track.record.Summary();
  return horizon;
}

Quality LinkForecaster::Judge(bool has_model) const {
  const LiveRecord record = tracks_.front().record.Summary();
  if (record.settled < options_->interval.enough) return Quality::kWarmingUp;
  if (record.mae > kDegradedRatio * record.mae_persistence) return Quality::kDegraded;
  return has_model ? Quality::kGood : Quality::kNaive;
}

std::uint64_t LinkForecaster::clipped() const {
  std::uint64_t clipped = 0;
  for (const Track& track : tracks_) clipped += track.interval.clipped();
  return clipped;
}

}  // namespace flowcast::forecast
