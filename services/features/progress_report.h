// The line a second that tells what the features do.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "libs/base/log.h"
#include "libs/base/rate.h"
#include "libs/slice/slice_loop.h"
#include "libs/telemetry/metric.h"
#include "services/features/features_service.h"

namespace flowcast::services {

/// Publishes the metrics, and writes a line when something has happened since the last one.
class FeaturesReport {
 public:
  using Publish = std::function<void(std::vector<telemetry::Metric>)>;

  FeaturesReport(const FeaturesTask& task, const base::Clock& clock, base::Log log, Publish publish)
      : task_(task), packets_(clock), log_(std::move(log)), publish_(std::move(publish)) {}
  void Write(const slice::SliceCounters& counters);

 private:
  const FeaturesTask& task_;
  base::Rate packets_;
  base::Log log_;
  Publish publish_;
  std::uint64_t last_records_ = 0;
  std::uint64_t last_repeated_ = 0;
  std::uint64_t last_missing_ = 0;
  std::uint64_t last_restarted_ = 0;
  std::uint64_t last_gap_ns_ = 0;
};

}  // namespace flowcast::services
