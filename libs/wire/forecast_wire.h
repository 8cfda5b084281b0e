// Forecasts as bytes.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "libs/forecast/forecast.h"
#include "libs/forecast/link_forecaster.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// A forecast, and the earlier ones that its window settled, by horizon.
struct ForecastRecord {
  forecast::Forecast forecast;
  std::vector<forecast::Settled> settled;
};

std::string Encode(const ForecastRecord& record);
/// Every horizon has as many quantiles as forecast::kQuantileLevels.
tl::expected<ForecastRecord, WireError> DecodeForecast(std::string_view bytes);

}  // namespace flowcast::wire
