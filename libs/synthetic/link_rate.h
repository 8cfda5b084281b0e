// The rate of one link, second by second.
#pragma once

#include <string>
#include <vector>

#include "libs/synthetic/episodes.h"

namespace flowcast::synthetic {

/// rate = (expected + the highest rise of its episodes) x noise, where
/// expected = rate of the link x (1 + cycle) x (1 + daily) x factor of the weekday.
/// All are constant over a second and taken at its middle.
class LinkRate {
 public:
  /// `index` within the group; the scenario has passed Validate.
  LinkRate(const Scenario& scenario, const LinkGroup& group, int index);

  /// packets/s in the next second; the first call is for the scenario's first second.
  double Next();
  /// packets/s without noise, bursts and overloads, in any second since the scenario's start.
  double Expected(std::int64_t second) const;

 private:
  struct Rising {
    Lift lift;
    Episode episode;
  };

  double NoiseFactor();
  double HighestRise(double expected);

  double start_s_;  // of the scenario since 1970
  double base_rate_;
  double cycle_amplitude_;
  double cycle_seconds_;
  double cycle_phase_;  // turns
  double daily_amplitude_;
  double daily_phase_;  // turns at midnight
  std::array<double, 7> weekdays_;
  bool weekly_;
  double fast_;
  double slow_;
  double keep_;        // of the autoregression, from second to second
  double innovation_;  // so that its variance is 1
  double state_ = 0;
  base::Random noise_;
  std::vector<Rising> rising_;
  std::int64_t second_ = 0;
};

}  // namespace flowcast::synthetic
