// Forecasts as JSON, for forecasts-json.v1 and whoever reads no protobuf. docs/schemas/forecast.schema.json
// specifies it.
#pragma once

#include <string>

#include "libs/wire/forecast_wire.h"

namespace flowcast::wire {

/// One JSON object with all that the protobuf record has, under the same names, and `skill` in each live
/// record; every number reads back as the same double.
std::string EncodeJson(const ForecastRecord& record);

}  // namespace flowcast::wire
