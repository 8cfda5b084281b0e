// The line a second that tells what the features do.
#pragma once

#include <cstdint>

#include "libs/base/log.h"
#include "libs/base/rate.h"
#include "libs/slice/slice_loop.h"
#include "services/features/features_service.h"

namespace flowcast::services {

/// Writes a line when something has happened since the last one.
class FeaturesReport {
 public:
  FeaturesReport(const FeaturesTask& task, const base::Clock& clock, base::Log log)
      : task_(task), packets_(clock), log_(std::move(log)) {}
  void Write(const slice::SliceCounters& counters);

 private:
  const FeaturesTask& task_;
  base::Rate packets_;
  base::Log log_;
  std::uint64_t last_records_ = 0;
  std::uint64_t last_repeated_ = 0;
  std::uint64_t last_missing_ = 0;
};

}  // namespace flowcast::services
