// When a link's rate rises: bursts and overloads, as trapezoids over whole seconds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/random.h"
#include "libs/synthetic/scenario.h"

namespace flowcast::synthetic {

/// A rise from `start` to `top`, level until `fall`, and down until `end`; seconds since the
/// scenario's start, `end` excluded.
struct Episode {
  std::int64_t start = 0;
  std::int64_t top = 0;
  std::int64_t fall = 0;
  std::int64_t end = 0;

  /// How far it has risen in the middle of that second, from 0 to 1.
  double HeightAt(std::int64_t second) const;
};

/// The episodes of one kind on one link, in order of time and apart from each other; endless where they are.
class EpisodeStream {
 public:
  EpisodeStream(const Bursts& bursts, base::Random random);
  /// The `index`th of overload.at, or all random ones, for which `index` is 0.
  EpisodeStream(const Overload& overload, std::size_t index, base::Random random);

  std::optional<Episode> Next();

 private:
  std::int64_t Draw(double mean_s);

  base::Random random_;
  bool random_times_ = true;
  bool random_lengths_ = false;
  double gap_s_ = 0;       // mean, between the end of one and the start of the next
  std::int64_t next_ = 0;  // given times: start of the next
  std::int64_t every_ = 0;
  bool done_ = false;
  double rise_share_ = 0;
  std::int64_t lead_in_ = 0;
  std::int64_t length_ = 0;
  std::int64_t fall_ = 0;
};

/// Episodes of one kind on one link with their height above the expected rate.
struct Lift {
  std::string kind;
  std::optional<double> factor;
  std::optional<double> rate;
  EpisodeStream episodes;

  /// packets/s above `expected` at the top.
  double Above(double expected) const;
};

/// The bursts and overloads of a link, none of them drawn yet.
std::vector<Lift> LiftsOf(const Scenario& scenario, const LinkGroup& group, const std::string& link);

}  // namespace flowcast::synthetic
