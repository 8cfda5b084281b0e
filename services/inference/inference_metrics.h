// The metrics of flowcast-inference.
#pragma once

#include "libs/slice/slice_loop.h"
#include "libs/telemetry/table.h"
#include "services/inference/inference_service.h"
#include "services/inference/model_watcher.h"
#include "services/inference/rules_watcher.h"

namespace flowcast::services {

/// Where the numbers are; for the time of one reading.
struct InferenceFacts {
  const slice::SliceCounters& slices;
  const InferenceTask& task;
  const ModelWatcher& models;
  const RulesWatcher& rules;
};

const telemetry::Table<InferenceFacts>& InferenceMetrics();

}  // namespace flowcast::services
