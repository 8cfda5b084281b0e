// Words of a forecast.
#include "libs/forecast/forecast.h"

namespace flowcast::forecast {

std::string_view ToString(Quality quality) {
  switch (quality) {
    case Quality::kWarmingUp:
      return "warming_up";
    case Quality::kNaive:
      return "naive";
    case Quality::kGood:
      return "good";
    case Quality::kDegraded:
      return "degraded";
  }
  return "unknown";
}

}  // namespace flowcast::forecast
