// Where a service's loop leaves its metrics for whoever asks.
#pragma once

#include <mutex>
#include <vector>

#include "libs/telemetry/metric.h"

namespace flowcast::telemetry {

/// Thread-safe. What is read is always one publication as a whole, so that its sums hold.
class MetricBoard {
 public:
  /// In place of what was there.
  void Publish(std::vector<Metric> metrics);
  /// Empty before the first publication.
  std::vector<Metric> Snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Metric> metrics_;
};

}  // namespace flowcast::telemetry
