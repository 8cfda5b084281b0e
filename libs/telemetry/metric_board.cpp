// The board.
#include "libs/telemetry/metric_board.h"

#include <utility>

namespace flowcast::telemetry {

void MetricBoard::Publish(std::vector<Metric> metrics) {
  const std::lock_guard lock(mutex_);
  metrics_.swap(metrics);  // the old ones are freed after the lock is
}

std::vector<Metric> MetricBoard::Snapshot() const {
  const std::lock_guard lock(mutex_);
  return metrics_;
}

}  // namespace flowcast::telemetry
