// The interval around the median.
#include "libs/forecast/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flowcast::forecast {
namespace {

constexpr double LevelOf(std::size_t offset) {
  return kQuantileLevels[offset < kMedian ? offset : offset + 1];
}

/// Of Laplace's distribution with mean absolute deviation 1.
double LaplaceQuantile(double level) {
  return level < 0.5 ? std::log(2 * level) : -std::log(2 * (1 - level));
}

double Pinball(double level, double residual, double quantile) {
  const double above = residual - quantile;
  return above > 0 ? level * above : (level - 1) * above;
}

}  // namespace

/// To the precision of float, as states of earlier versions were made with.
double Interval::Terms::slowness() const {
  return static_cast<double>(std::sqrt(static_cast<float>(windows)));
}

Interval::Interval(const IntervalOptions& options) : voice_(static_cast<float>(options.model_voice)) {
  for (std::size_t i = 0; i < kOffsetCount; ++i) own_[i] = static_cast<float>(LaplaceQuantile(LevelOf(i)));
}

float Interval::Bound(double value) {
  const auto largest = static_cast<double>(kLargestOffset);
  if (!(std::abs(value) <= largest)) ++clipped_;
  return static_cast<float>(std::clamp(value, -largest, largest));
}

BriefOffsets Interval::OffsetsOf(std::span<const double> model, double scale) {
  BriefOffsets offsets{};
  offsets[0] = std::numeric_limits<float>::quiet_NaN();
  if (model.empty() || !(scale > 0)) return offsets;
  const bool usable = model.size() == kQuantileCount && std::is_sorted(model.begin(), model.end()) &&
                      std::all_of(model.begin(), model.end(), [](double q) { return std::isfinite(q); });
  if (!usable) {
    ++clipped_;
    return offsets;
  }
  for (std::size_t i = 0; i < kOffsetCount; ++i) {
    offsets[i] = Bound((model[i < kMedian ? i : i + 1] - model[kMedian]) / scale);
  }
  return offsets;
}

double Interval::Published(std::size_t index, const BriefOffsets& model) const {
  const float voice = std::isnan(model[0]) ? 0 : voice_;
  return static_cast<double>((1 - voice) * own_[index] + (voice > 0 ? voice * model[index] : 0) +
                             correction_[index]);
}

double Interval::Young(std::size_t index, double median, double scale) const {
  const double known = static_cast<double>(count_);
  const double wide = scale * (1 + 4 / (known + 1)) + 0.5 * median / (known + 1);
  return wide * LaplaceQuantile(LevelOf(index));
}

std::vector<double> Interval::Around(double median, std::span<const double> model, const Terms& terms,
                                     Asked& asked) {
  asked.scale = scale_;
  const auto scale = static_cast<double>(asked.scale);  // as it will be known when the truth arrives
  asked.model = OffsetsOf(model, scale);
  std::vector<double> quantiles(kQuantileCount, median);
  const bool has_enough = HasEnough(terms.options);
  for (std::size_t i = 0; i < kOffsetCount; ++i) {
    const double offset = has_enough ? scale * Published(i, asked.model) : Young(i, median, scale);
    quantiles[i < kMedian ? i : i + 1] = median + offset;
  }
  for (std::size_t i = kMedian; i-- > 0;)
    quantiles[i] = std::max(0.0, std::min(quantiles[i], quantiles[i + 1]));
  for (std::size_t i = kMedian + 1; i < kQuantileCount; ++i)
    quantiles[i] = std::max(quantiles[i], quantiles[i - 1]);
  asked.median = static_cast<float>(median);
  asked.low = static_cast<float>(quantiles.front());
  asked.high = static_cast<float>(quantiles.back());
  return quantiles;
}

void Interval::LearnVoice(float residual, const BriefOffsets& model, const Terms& terms) {
  constexpr double kShare = 0.01;
  double own = 0;
  double theirs = 0;
  for (std::size_t i = 0; i < kOffsetCount; ++i) {
    own += Pinball(LevelOf(i), static_cast<double>(residual), static_cast<double>(own_[i]));
    theirs += Pinball(LevelOf(i), static_cast<double>(residual), static_cast<double>(model[i]));
  }
  const double worth = std::clamp((own - theirs) / (own + theirs + 1), -1.0, 1.0);
  const double odds = std::exp(terms.options.voice_rate / terms.slowness() * worth);
  const auto voice = static_cast<double>(voice_);
  const double moved = voice * odds / (voice * odds + 1 - voice);
  voice_ = static_cast<float>((1 - kShare) * moved + kShare * terms.options.model_voice);
}

void Interval::Visit(StateVisitor& state) {
  state(own_);
  state(correction_);
  state(voice_);
  state(scale_);
  state.Raw(count_);
  state.Raw(clipped_);
}

void Interval::Learn(double actual, const Asked& asked, const Terms& terms) {
  const IntervalOptions& options = terms.options;
  const double slowness = terms.slowness();
  const double error = static_cast<double>(static_cast<float>(actual) - asked.median);
  ++count_;
  const double forget = std::max(options.scale_rate, 1.0 / static_cast<double>(count_));
  scale_ += static_cast<float>((std::abs(error) - static_cast<double>(scale_)) * forget);
  if (!(asked.scale > 0.0F)) return;
  const float residual = Bound(error / static_cast<double>(asked.scale));
  const double quick = std::max(1.0, 10.0 / static_cast<double>(count_));
  const double rate = std::min(0.3, options.rate * quick / slowness);
  const double correction = options.correction / slowness;
  for (std::size_t i = 0; i < kOffsetCount; ++i) {
    const double level = LevelOf(i);
    const double published = Published(i, asked.model);
    const double reach = std::max(1.0, std::abs(static_cast<double>(own_[i])));
    if (residual != own_[i]) {
      own_[i] = Bound(static_cast<double>(own_[i]) + rate * reach * (level - (residual < own_[i] ? 1 : 0)));
    }
    const bool below = static_cast<double>(residual) < published;
    if (HasEnough(options)) {
      correction_[i] =
          Bound(static_cast<double>(correction_[i]) + correction * reach * (level - (below ? 1 : 0)));
    }
  }
  if (!std::isnan(asked.model[0])) LearnVoice(residual, asked.model, terms);
}

}  // namespace flowcast::forecast
