// Metrics as Prometheus reads them.
#pragma once

#include <string>
#include <vector>

#include "libs/telemetry/metric.h"

namespace flowcast::http {

inline constexpr const char* kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

/// The text format, version 0.0.4. A metric without samples has its help and type only.
std::string Exposition(const std::vector<telemetry::Metric>& metrics);

}  // namespace flowcast::http
