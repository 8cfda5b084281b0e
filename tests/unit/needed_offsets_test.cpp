// Which records are needed still.
#include "libs/window/needed_offsets.h"

#include <gtest/gtest.h>

#include <vector>

namespace flowcast::window {
namespace {

TEST(NeededOffsetsTest, TheOldestIsNeededUntilItsLastHoldIsGone) {
  const NeededOffsets needed;
  EXPECT_EQ(needed.Oldest(), std::nullopt);
  auto newer = needed.Need(7);
  {
    const auto older = needed.Need(3);
    const auto again = needed.Need(3);
    EXPECT_EQ(needed.Oldest(), 3);
  }
  EXPECT_EQ(needed.Oldest(), 7);
  newer = needed.Need(9);
  EXPECT_EQ(needed.Oldest(), 9);
}

TEST(NeededOffsetsTest, AHoldCanBeMovedAndNeedsItsRecordOnce) {
  const NeededOffsets needed;
  std::vector<NeededOffsets::Hold> holds;
  for (int i = 0; i < 20; ++i) holds.push_back(needed.Need(5));
  NeededOffsets::Hold last = std::move(holds.back());
  holds.clear();
  EXPECT_EQ(needed.Oldest(), 5);
  last = NeededOffsets::Hold();
  EXPECT_EQ(needed.Oldest(), std::nullopt);
}

TEST(NeededOffsetsTest, AHoldMayOutliveWhatItCameFrom) {
  auto needed = std::make_unique<NeededOffsets>();
  const auto hold = needed->Need(1);
  needed.reset();
}

}  // namespace
}  // namespace flowcast::window
