// The usual load by time of day: what is learned when, and what is not made up.
#include <gtest/gtest.h>

#include "libs/feature/seasonal_profile.h"

namespace flowcast::feature {
namespace {

using namespace std::chrono_literals;

const base::EventTime kMonday = base::FromUnixNanoseconds(1'762'732'800'000'000'000);  // 2025-11-10T00:00:00Z

class SeasonalProfileTest : public testing::Test {
 protected:
  /// Windows of a minute, `packets` each, 100 bytes a packet.
  void LearnDay(int day, double packets) {
    for (int minute = 0; minute < 24 * 60; ++minute)
      profile_.Learn(kMonday + day * 24h + minute * 1min, packets, 100 * packets);
  }
  Usual At(int day, base::Duration time) const { return profile_.At(kMonday + day * 24h + time); }

  SeasonalProfile profile_;
};

TEST_F(SeasonalProfileTest, NothingIsKnownBeforeADayWasSeen) {
  EXPECT_EQ(At(0, 0h), Usual{});
  profile_.Learn(kMonday, 10, 1000);
  profile_.Learn(kMonday + 14min, 10, 1000);
  EXPECT_EQ(At(0, 0h).days, 0u) << "a quarter of an hour that is not over teaches nothing";
  EXPECT_EQ(At(1, 0h).days, 0u);
}

TEST_F(SeasonalProfileTest, AQuarterOfAnHourIsWhatItWasOnEarlierDays) {
  profile_.Learn(kMonday + 8h, 10, 1000);
  profile_.Learn(kMonday + 8h + 1min, 10, 1000);
  profile_.Learn(kMonday + 8h + 15min, 90, 9000);
  profile_.Learn(kMonday + 9h, 0, 0);
  EXPECT_EQ(At(1, 8h).days, 1u);
  EXPECT_NEAR(At(1, 8h).packets, 10, 1e-4);
  EXPECT_NEAR(At(1, 8h + 14min).bytes, 1000, 1e-2);
  EXPECT_NEAR(At(1, 8h + 15min).packets, 90, 1e-4);
  EXPECT_EQ(At(1, 7h + 45min).days, 0u);
}

TEST_F(SeasonalProfileTest, WorkingDaysSayNothingOfTheWeekend) {
  for (int day = 0; day < 5; ++day) LearnDay(day, 100);
  EXPECT_EQ(At(5, 12h).days, 0u);
  LearnDay(5, 20);
  LearnDay(6, 20);
  LearnDay(7, 100);
  EXPECT_EQ(At(12, 12h).days, 2u);
  EXPECT_NEAR(At(12, 12h).packets, 20, 1e-3);
  EXPECT_NEAR(At(8, 12h).packets, 100, 1e-3);
}

TEST_F(SeasonalProfileTest, OneBurstIsNotWhatIsUsual) {
  for (int day = 0; day < 4; ++day) LearnDay(day, 100);
  for (int second = 0; second < 900; ++second)
    profile_.Learn(kMonday + 4 * 24h + 12h + second * 1s, second < 30 ? 100'000 : 100, 0);
  profile_.Learn(kMonday + 4 * 24h + 13h, 100, 0);
  EXPECT_LT(At(8, 12h).packets, 110);
}

TEST_F(SeasonalProfileTest, ALinkThatChangesForGoodIsFollowed) {
  for (int week = 0; week < 4; ++week) {
    for (int day = 0; day < 5; ++day) LearnDay(7 * week + day, 100);
  }
  for (int week = 4; week < 10; ++week) {
    for (int day = 0; day < 5; ++day) LearnDay(7 * week + day, 400);
  }
  EXPECT_GT(At(70, 12h).packets, 350);
}

TEST_F(SeasonalProfileTest, ItGoesOnFromItsState) {
  SeasonalProfile other;
  for (int minute = 0; minute < 3 * 24 * 60; minute += 7) {
    profile_.Learn(kMonday + minute * 1min, minute % 50, minute);
    other.Learn(kMonday + minute * 1min, minute % 50, minute);
    if (minute % 97 == 0) other = SeasonalProfile(other.state());
  }
  EXPECT_EQ(profile_.state(), other.state());
  EXPECT_LE(profile_.state().quarters.size(), 96u);
}

}  // namespace
}  // namespace flowcast::feature
