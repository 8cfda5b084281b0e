// The experts that learn online, side by side.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "libs/forecast/autoregression.h"
#include "libs/forecast/expert.h"
#include "libs/forecast/seasonal.h"

namespace flowcast::forecast {

/// One of each, in the order of kExpertNames, in one piece of memory: there are as many as links.
class OnlineExperts {
 public:
  /// At least one horizon, ascending; they must outlive this.
  explicit OnlineExperts(const std::vector<int>& horizons)
      : ewma_(horizons), holt_(horizons), autoregression_(horizons), seasonal_(horizons, autoregression_) {}
  OnlineExperts(const OnlineExperts&) = delete;  // one points at another
  OnlineExperts& operator=(const OnlineExperts&) = delete;

  std::array<Expert*, kOnlineExperts> all() {
    return {&persistence_, &ewma_, &holt_, &seasonal_, &mean_, &autoregression_};
  }

 private:
  Persistence persistence_;
  Ewma ewma_;
  Holt holt_;
  MovingMean mean_;
  Autoregression autoregression_;
  Seasonal seasonal_;
};

}  // namespace flowcast::forecast
