// The metrics of single links: of as many as --link-metrics says.
#pragma once

#include "services/inference/inference_metrics.h"

namespace flowcast::services {

/// Of a link and target at H horizons 1 + 5 H samples, and 2 of the link.
void AddLinkMetrics(telemetry::Table<InferenceFacts>& table);

}  // namespace flowcast::services
