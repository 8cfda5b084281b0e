// The metrics of flowcast-notifier.
#pragma once

#include "libs/slice/slice_loop.h"
#include "libs/telemetry/table.h"
#include "services/notifier/notifier_service.h"

namespace flowcast::services {

/// Where the numbers are; for the time of one reading.
struct NotifierFacts {
  const slice::SliceCounters& slices;
  const NotifierTask& task;
};

const telemetry::Table<NotifierFacts>& NotifierMetrics();

}  // namespace flowcast::services
