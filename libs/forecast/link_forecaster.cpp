// Ties experts, mixture and interval together for one link.
#include "libs/forecast/link_forecaster.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::forecast {
namespace {

constexpr float kLossMemory = 20;

bool IsUsable(double value) { return std::isfinite(value) && value <= kLargestValue; }

/// What a state's bytes begin with: their version, and what decides what they mean and how many they are.
std::string ShapeOf(const ForecasterOptions& options) {
  std::string shape = "state 1 " + options.target + " " + std::to_string(options.window_length.count());
  for (const int horizon : options.horizons) shape.append(" ").append(std::to_string(horizon));
  return shape.append("\n");
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

LinkForecaster::Track::Track(const ForecasterOptions& options)
    : mixture(kExperts, MixtureRates(options.mixture)), interval(options.interval) {}

LinkForecaster::LinkForecaster(const ForecasterOptions& options)
    : LinkForecaster(std::make_shared<const ForecasterOptions>(options)) {}

LinkForecaster::LinkForecaster(std::shared_ptr<const ForecasterOptions> options)
    : options_(std::move(options)), history_(1) {
  const std::vector<int>& horizons = options_->horizons;
  CheckHorizons(horizons);
  history_ = History(HistoryFor(horizons));
  experts_ = std::make_unique<OnlineExperts>(horizons);
  tracks_.assign(horizons.size(), Track(*options_));
  pending_ = std::make_unique<Pending[]>(WindowsOfAll(horizons));
}

void LinkForecaster::Pending::Remember(const Opinions& opinions) {
  for (std::size_t i = 0; i < others.size(); ++i) others[i] = opinions[i + 1] - opinions[0];
}

LinkForecaster::Opinions LinkForecaster::Pending::Recall(float last) const {
  Opinions opinions{last};
  for (std::size_t i = 0; i < others.size(); ++i) opinions[i + 1] = last + others[i];
  return opinions;
}

bool LinkForecaster::Pending::HadModel() const {
  return std::any_of(others.begin() + kOnlineExperts - 1, others.end(),
                     [](float value) { return !std::isnan(value); });
}

LinkForecaster::Pending& LinkForecaster::PendingOf(std::size_t horizon) {
  std::size_t first = 0;
  for (std::size_t h = 0; h < horizon; ++h) first += static_cast<std::size_t>(options_->horizons[h]);
  return pending_[first + step_ % static_cast<std::size_t>(options_->horizons[horizon])];
}

LinkForecaster::Terms LinkForecaster::TermsOf(std::size_t horizon) const {
  const int windows = options_->horizons[horizon];
  return {MixtureRates(options_->mixture, windows), {options_->interval, windows}};
}

void LinkForecaster::Visit(StateVisitor& state) {
  history_.Visit(state);
  for (Expert* const expert : experts_->all()) expert->Visit(state);
  for (Track& track : tracks_) {
    state(track.scale);
    track.mixture.Visit(state);
    track.record.Visit(state);
    track.interval.Visit(state);
  }
  state.Raw(pending());
  bool started = last_start_.has_value();
  base::EventTime last_start = last_start_.value_or(base::kBeginningOfTime);
  state(started);
  state.Raw(last_start);
  last_start_ = started ? std::optional(last_start) : std::nullopt;
  state(last_actual_);
  state.Raw(step_);
  state.Raw(ignored_);
}

std::string LinkForecaster::Save() {
  StateOutput state;
  state.bytes = ShapeOf(*options_);
  Visit(state);
  return std::move(state.bytes);
}

bool LinkForecaster::Restore(std::string_view bytes) {
  const std::string shape = ShapeOf(*options_);
  if (bytes.substr(0, shape.size()) == shape) {
    StateInput state(bytes.substr(shape.size()));
    Visit(state);
    if (state.IsWhole()) return true;
  }
  *this = LinkForecaster(options_);
  return false;
}

bool LinkForecaster::Accepts(base::EventTime start, double actual) const {
  return IsUsable(actual) && actual >= 0 && (!last_start_ || start > *last_start_);
}

void LinkForecaster::Interrupt() {
  history_.Clear();
  for (Expert* const expert : experts_->all()) expert->Interrupt();
  for (Pending& pending : this->pending()) pending.asked.median = kUnknown;
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
  for (Expert* const expert : experts_->all()) expert->Observe(history_);
  ++step_;
  for (std::size_t h = 0; h < tracks_.size(); ++h) {
    Pending& pending = PendingOf(h);
    if (std::isnan(pending.asked.median)) continue;
    const Opinions opinions = pending.Recall(history_.Value(static_cast<std::size_t>(options_->horizons[h])));
    tracks_[h].Learn(opinions, pending.asked, actual, TermsOf(h));
    const auto value = [](float rounded) { return static_cast<double>(rounded); };
    settled.push_back({start, actual, value(pending.asked.median), value(pending.asked.low),
                       value(pending.asked.high), value(opinions[0]), pending.HadModel(),
                       options_->horizons[h]});
    pending.asked.median = kUnknown;
  }
  return settled;
}

void LinkForecaster::Track::Learn(const Opinions& opinions, const Interval::Asked& asked, double actual,
                                  const Terms& terms) {
  const auto error_of = [actual](float said) {
    return static_cast<double>(std::abs(said - static_cast<float>(actual)));
  };
  const double base = error_of(opinions[0]);
  std::array<double, kExperts> losses{};
  for (std::size_t i = 0; i < kExperts; ++i) {
    losses[i] = std::isnan(opinions[i])
                    ? std::numeric_limits<double>::quiet_NaN()
                    : RelativeLoss(error_of(opinions[i]), base, static_cast<double>(scale));
  }
  mixture.Learn(losses, terms.mixture);
  const double known = static_cast<double>(interval.count()) + 1;
  scale += static_cast<float>((base - static_cast<double>(scale)) /
                              std::min(known, static_cast<double>(kLossMemory)));
  interval.Learn(actual, asked, terms.interval);
  const auto rounded = static_cast<float>(actual);
  record.Add(error_of(asked.median), base, rounded >= asked.low && rounded <= asked.high);
}

double LinkForecaster::Track::MedianOf(const Opinions& opinions, const MixtureRates& rates) const {
  const double combined = mixture.Combine(opinions, rates);
  if (!(scale > 0)) return combined;
  const auto persistence = static_cast<double>(opinions[0]);
  const double furthest = kFurthestDeparture * static_cast<double>(scale);
  return std::clamp(combined, persistence - furthest, persistence + furthest);
}

std::vector<LinkForecaster::Opinions> LinkForecaster::Ask(const Outlook& outlook) {
  std::vector<Opinions> opinions(tracks_.size());
  for (Opinions& of_horizon : opinions) of_horizon.fill(kUnknown);
  std::vector<float> values(tracks_.size());
  const auto experts = experts_->all();
  for (std::size_t i = 0; i < experts.size(); ++i) {
    experts[i]->Forecast(history_, outlook.season, values);
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
  forecast.window_length = options_->window_length;
  forecast.target = options_->target;
  forecast.last_actual = last_actual_;
  if (last_start_) forecast.made_at = *last_start_ + options_->window_length;
  if (history_.size() == 0) history_.Add(0);
  const std::vector<Opinions> opinions = Ask(outlook);
  bool has_model = false;
  for (std::size_t h = 0; h < tracks_.size(); ++h) {
    forecast.horizons.push_back(MakeHorizon(h, opinions[h], outlook));
    has_model = has_model || PendingOf(h).HadModel();
  }
  if (!last_start_) Interrupt();
  forecast.record = forecast.horizons.front().record;
  forecast.quality = Judge(has_model);
  if (has_model) forecast.model_version = outlook.model_version;
  return forecast;
}

HorizonForecast LinkForecaster::MakeHorizon(std::size_t position, const Opinions& opinions,
                                            const Outlook& outlook) {
  Track& track = tracks_[position];
  Pending& pending = PendingOf(position);
  pending.Remember(opinions);
  HorizonForecast horizon;
  horizon.horizon_windows = options_->horizons[position];
  if (last_start_) horizon.target_start = *last_start_ + options_->window_length * horizon.horizon_windows;
  const Terms terms = TermsOf(position);
  horizon.quantiles = track.interval.Around(track.MedianOf(opinions, terms.mixture),
                                            QuantilesOf(outlook, position), terms.interval, pending.asked);
  const auto voices = track.mixture.Voices(opinions, terms.mixture);
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
