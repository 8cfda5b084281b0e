// Draws the times of bursts and overloads.
#include "libs/synthetic/episodes.h"

#include <algorithm>
#include <cmath>

#include "libs/synthetic/arithmetic.h"

namespace flowcast::synthetic {
namespace {

constexpr std::int64_t kShortestBurst = 4;

std::int64_t WholeSeconds(base::Duration duration) { return duration / std::chrono::seconds(1); }

}  // namespace

double Episode::HeightAt(std::int64_t second) const {
  if (second < start || second >= end) return 0;
  const double middle = static_cast<double>(second) + 0.5;
  if (second < top) return (middle - static_cast<double>(start)) / static_cast<double>(top - start);
  if (second < fall) return 1;
  return (static_cast<double>(end) - middle) / static_cast<double>(end - fall);
}

EpisodeStream::EpisodeStream(const Bursts& bursts, base::Random random)
    : random_(random), random_lengths_(true), rise_share_(bursts.rise) {
  length_ = std::max(kShortestBurst, WholeSeconds(bursts.length));
  gap_s_ = bursts.per_hour > 0 ? 3600 / bursts.per_hour - static_cast<double>(length_) : 0;
  done_ = bursts.per_hour == 0;
}

EpisodeStream::EpisodeStream(const Overload& overload, std::size_t index, base::Random random)
    : random_(random),
      random_times_(overload.at.empty()),
      every_(WholeSeconds(overload.every)),
      lead_in_(WholeSeconds(overload.lead_in)),
      length_(WholeSeconds(overload.length)),
      fall_(WholeSeconds(overload.fall)) {
  if (random_times_) {
    gap_s_ = 86'400 / overload.per_day - static_cast<double>(lead_in_ + length_ + fall_);
  } else {
    next_ = WholeSeconds(overload.at.at(index));
  }
}

std::int64_t EpisodeStream::Draw(double mean_s) { return std::llround(mean_s * ExponentialTable()(random_)); }

std::optional<Episode> EpisodeStream::Next() {
  if (done_) return std::nullopt;
  std::int64_t start = next_;
  if (random_times_) start += 1 + Draw(std::max(0.0, gap_s_ - 1));
  std::int64_t lead_in = lead_in_;
  std::int64_t length = length_;
  if (random_lengths_) {
    const std::int64_t whole = kShortestBurst + Draw(static_cast<double>(length_ - kShortestBurst));
    lead_in = static_cast<std::int64_t>(rise_share_ * static_cast<double>(whole));
    length = whole - lead_in;
  }
  Episode episode{start, start + lead_in, start + lead_in + length, start + lead_in + length + fall_};
  next_ = random_times_ ? episode.end : start + every_;
  done_ = !random_times_ && every_ == 0;
  return episode;
}

double Lift::Above(double expected) const {
  return std::max(0.0, (factor ? *factor * expected : rate.value_or(0)) - expected);
}

std::vector<Lift> LiftsOf(const Scenario& scenario, const LinkGroup& group, const std::string& link) {
  std::vector<Lift> lifts;
  if (group.bursts.per_hour > 0)
    lifts.push_back({"burst", group.bursts.factor, std::nullopt,
                     EpisodeStream(group.bursts, StreamOf(scenario.seed, link, "bursts"))});
  std::size_t number = 0;
  for (const Overload& overload : group.overloads) {
    const std::string purpose = "overload" + std::to_string(number++);
    const std::string& thing = overload.together ? group.name : link;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, overload.at.size()); ++i)
      lifts.push_back({overload.kind, overload.factor, overload.rate,
                       EpisodeStream(overload, i, StreamOf(scenario.seed, thing, purpose))});
  }
  return lifts;
}

}  // namespace flowcast::synthetic
