// The live record of a horizon of a link: how good its last forecasts were.
#pragma once

#include <array>

#include "libs/forecast/forecast.h"
#include "libs/forecast/state_bytes.h"

namespace flowcast::forecast {

/// Over the last kRecordWindows to kRecordWindows + kBlock settled forecasts: 12 bytes a block, and none an
/// entry. Errors are summed as float: relative precision 1e-5.
class RecentRecord {
 public:
  void Add(double error, double persistence_error, bool covered);
  void Visit(StateVisitor& state);
  /// Zeros while nothing has settled.
  LiveRecord Summary() const;

  static constexpr std::size_t kRecordWindows = 200;
  static constexpr std::size_t kBlocks = 4;
  static constexpr std::size_t kBlock = kRecordWindows / kBlocks;

 private:
  struct Block {
    float error = 0;
    float persistence_error = 0;
    std::uint16_t covered = 0;
    std::uint16_t count = 0;
  };

  std::array<Block, kBlocks + 1> blocks_;  // a ring; the one that is being filled and those before
  std::uint32_t settled_ = 0;
};

}  // namespace flowcast::forecast
