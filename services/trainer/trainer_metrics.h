// The metrics of flowcast-trainer.
#pragma once

#include "libs/telemetry/table.h"
#include "services/trainer/trainer_service.h"

namespace flowcast::services {

const telemetry::Table<TrainerProgress>& TrainerMetrics();

}  // namespace flowcast::services
