// Patterns, noise and rises.
#include "libs/synthetic/link_rate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "libs/synthetic/arithmetic.h"

namespace flowcast::synthetic {
namespace {

constexpr double kDay = 86'400;
constexpr double kGoldenRatio = 0.618033988749894848;  // spreads links evenly, however many there are

double BaseRate(const Scenario& scenario, const LinkGroup& group, const std::string& link) {
  if (group.rate_spread == 0) return group.rate;
  base::Random random = StreamOf(scenario.seed, link, "rate");
  const double spread = group.rate_spread;
  return group.rate * Exp(spread * NormalPair(random).first - spread * spread / 2);
}

/// Factor of the weekday, passing into the next one from half an hour before midnight to half an hour after.
double WeekdayFactor(const std::array<double, 7>& weekdays, double unix_s) {
  constexpr double kHour = 3600;
  const double day = unix_s / kDay;
  const auto number = static_cast<std::size_t>(day);
  const double since_midnight = unix_s - static_cast<double>(number) * kDay;
  // 1970 began on a Thursday.
  const double today = weekdays[(number + 3) % 7];
  if (since_midnight < kHour / 2) {
    const double yesterday = weekdays[(number + 2) % 7];
    return yesterday + (today - yesterday) * (0.5 + since_midnight / kHour);
  }
  if (since_midnight > kDay - kHour / 2) {
    const double tomorrow = weekdays[(number + 4) % 7];
    return today + (tomorrow - today) * (0.5 - (kDay - since_midnight) / kHour);
  }
  return today;
}

}  // namespace

LinkRate::LinkRate(const Scenario& scenario, const LinkGroup& group, int index)
    : start_s_(base::ToUnixSeconds(scenario.start)),
      base_rate_(BaseRate(scenario, group, LinkName(group, index))),
      cycle_amplitude_(group.cycle.amplitude),
      cycle_seconds_(base::ToSeconds(group.cycle.period)),
      cycle_phase_(group.cycle.apart * Fraction(index * kGoldenRatio)),
      daily_amplitude_(group.daily.amplitude),
      weekdays_(group.weekdays),
      weekly_(std::any_of(weekdays_.begin(), weekdays_.end(), [](double factor) { return factor != 1; })),
      fast_(group.noise.fast),
      slow_(group.noise.slow),
      keep_(Exp(-1 / base::ToSeconds(group.noise.memory))),
      innovation_(std::sqrt(1 - keep_ * keep_)),
      noise_(StreamOf(scenario.seed, LinkName(group, index), "noise")) {
  const double apart = group.daily.apart_hours * (Fraction(0.5 + index * kGoldenRatio) - 0.5);
  daily_phase_ = 0.25 - (group.daily.peak_hour + apart) / 24;
  state_ = NormalPair(noise_).first;
  for (const Lift& lift : LiftsOf(scenario, group, LinkName(group, index))) {
    rising_.push_back({lift, {}});
  }
}

double LinkRate::Expected(std::int64_t second) const {
  const double since_start = static_cast<double>(second) + 0.5;
  double rate = base_rate_;
  if (cycle_amplitude_ > 0)
    rate *= 1 + cycle_amplitude_ * SinTurns(since_start / cycle_seconds_ + cycle_phase_);
  const double unix_s = start_s_ + since_start;
  if (daily_amplitude_ > 0) rate *= 1 + daily_amplitude_ * SinTurns(unix_s / kDay + daily_phase_);
  if (weekly_) rate *= WeekdayFactor(weekdays_, unix_s);
  return std::max(0.0, rate);
}

double LinkRate::NoiseFactor() {
  if (fast_ == 0 && slow_ == 0) return 1;
  const auto [white, innovation] = NormalPair(noise_);
  const double factor = 1 + fast_ * white + slow_ * state_;
  state_ = keep_ * state_ + innovation_ * innovation;
  return std::max(0.0, factor);
}

double LinkRate::HighestRise(double expected) {
  double highest = 0;
  for (Rising& rising : rising_) {
    while (second_ >= rising.episode.end) {
      constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
      rising.episode = rising.lift.episodes.Next().value_or(Episode{kNever, kNever, kNever, kNever});
    }
    if (second_ >= rising.episode.start)
      highest = std::max(highest, rising.episode.HeightAt(second_) * rising.lift.Above(expected));
  }
  return highest;
}

double LinkRate::Next() {
  const double expected = Expected(second_);
  const double rate = (expected + HighestRise(expected)) * NoiseFactor();
  ++second_;
  return rate;
}

}  // namespace flowcast::synthetic
