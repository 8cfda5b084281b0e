// The metrics of flowcast-capture.
#pragma once

#include "libs/telemetry/table.h"
#include "services/capture/capture_service.h"

namespace flowcast::services {

const telemetry::Table<CaptureSummary>& CaptureMetrics();

}  // namespace flowcast::services
