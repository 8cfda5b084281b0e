// The live record of a horizon of a link.
#include "libs/forecast/record.h"

#include <cmath>

namespace flowcast::forecast {

void RecentRecord::Add(double error, double persistence_error, bool covered) {
  Block& block = blocks_[settled_ / kBlock % blocks_.size()];
  if (settled_ % kBlock == 0) block = {};
  block.error += static_cast<float>(std::abs(error));
  block.persistence_error += static_cast<float>(std::abs(persistence_error));
  block.covered = static_cast<std::uint16_t>(block.covered + (covered ? 1 : 0));
  ++block.count;
  ++settled_;
}

void RecentRecord::Visit(StateVisitor& state) {
  for (Block& block : blocks_) {
    state(block.error);
    state(block.persistence_error);
    state.Raw(block.covered);
    state.Raw(block.count);
  }
  state.Raw(settled_);
}

LiveRecord RecentRecord::Summary() const {
  LiveRecord record;
  record.settled = settled_;
  double count = 0;
  for (const Block& block : blocks_) {
    record.mae += static_cast<double>(block.error);
    record.mae_persistence += static_cast<double>(block.persistence_error);
    record.coverage_90 += block.covered;
    count += block.count;
  }
  if (count == 0) return record;
  record.mae /= count;
  record.mae_persistence /= count;
  record.coverage_90 /= count;
  return record;
}

}  // namespace flowcast::forecast
