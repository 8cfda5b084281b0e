// The line that a bar is.
#include <gtest/gtest.h>

#include <cmath>

#include "libs/app/progress_bar.h"

namespace flowcast::app {
namespace {

TEST(BarLine, FillsWithTheShareAndSaysIt) {
  EXPECT_EQ(BarLine(0, "a", 80), "[........................]   0 % a");
  EXPECT_EQ(BarLine(0.5, "a", 80), "[############............]  50 % a");
  EXPECT_EQ(BarLine(1, "a", 80), "[########################] 100 % a");
}

TEST(BarLine, StaysWithinBoundsAndTheTerminal) {
  EXPECT_EQ(BarLine(7, "", 80), BarLine(1, "", 80));
  EXPECT_EQ(BarLine(-1, "", 80), BarLine(0, "", 80));
  EXPECT_EQ(BarLine(std::nan(""), "", 80), BarLine(0, "", 80));
  EXPECT_EQ(BarLine(0.5, "a long text", 40), "[############............]  50 % a long ");
  EXPECT_EQ(BarLine(0.5, "a", 3), "[##");
}

}  // namespace
}  // namespace flowcast::app
