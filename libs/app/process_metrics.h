// What the operating system says of this process.
#pragma once

#include "libs/telemetry/table.h"

namespace flowcast::app {

struct ProcessFacts {
  std::optional<double> cpu_seconds;
  std::optional<double> resident_bytes;
  std::optional<double> virtual_bytes;
  std::optional<double> open_descriptors;
  std::optional<double> most_descriptors;
  std::optional<double> start_seconds;  // since 1970
};

/// From /proc; what can't be read there is absent.
ProcessFacts ReadProcessFacts();

/// Named process_..., as Prometheus' own client libraries do.
const telemetry::Table<ProcessFacts>& ProcessMetrics();

}  // namespace flowcast::app
