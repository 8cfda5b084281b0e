// The metrics of flowcast-features.
#pragma once

#include "libs/slice/slice_loop.h"
#include "libs/telemetry/table.h"
#include "services/features/features_service.h"

namespace flowcast::services {

struct FeaturesFacts {
  slice::SliceCounters slices;
  FeaturesCounters task;
  window::FoldCounters fold;
  std::size_t links = 0;
  std::uint64_t waiting_packets = 0;
  base::EventTime watermark = base::kEndOfTime;
};

FeaturesFacts FactsOf(const slice::SliceCounters& slices, const FeaturesTask& task);

const telemetry::Table<FeaturesFacts>& FeaturesMetrics();

}  // namespace flowcast::services
