// The live record of a link.
#include "libs/forecast/record.h"

#include <cmath>

namespace flowcast::forecast {

void RecentRecord::Add(double error, double persistence_error, bool covered) {
  const Entry entry{static_cast<float>(std::abs(error)), static_cast<float>(std::abs(persistence_error)),
                    covered};
  if (entries_.size() < kRecordWindows) {
    entries_.push_back(entry);
  } else {
    entries_[settled_ % kRecordWindows] = entry;
  }
  ++settled_;
}

LiveRecord RecentRecord::Summary() const {
  LiveRecord record;
  record.settled = settled_;
  if (entries_.empty()) return record;
  std::size_t covered = 0;
  for (const Entry& entry : entries_) {
    record.mae += static_cast<double>(entry.error);
    record.mae_persistence += static_cast<double>(entry.persistence_error);
    covered += entry.covered ? 1 : 0;
  }
  const auto count = static_cast<double>(entries_.size());
  record.mae /= count;
  record.mae_persistence /= count;
  record.coverage_90 = static_cast<double>(covered) / count;
  return record;
}

}  // namespace flowcast::forecast
