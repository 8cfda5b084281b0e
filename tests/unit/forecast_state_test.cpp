// What a link's forecaster keeps: how exactly, as bytes, and how much.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <limits>

#include "libs/base/random.h"
#include "libs/forecast/brief.h"
#include "libs/forecast/link_forecaster.h"

namespace flowcast::forecast {
namespace {

using namespace std::chrono_literals;

TEST(BriefFloat, KeepsEightBitsOfAValueAndWhatIsNoNumber) {
  for (const float value : {0.0F, 1.0F, -0.15625F, 65536.0F}) EXPECT_EQ(Brief(value), value);
  base::Random random(8);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<float>(random.Normal() * std::exp(20 * random.Normal()));
    EXPECT_LE(std::abs(Brief(value) - value), std::abs(value) / 256) << value;
  }
  EXPECT_TRUE(std::isnan(Brief(kUnknown)));
  EXPECT_TRUE(std::isnan(Brief(-kUnknown)));
  EXPECT_EQ(Brief(std::numeric_limits<float>::max()), std::numeric_limits<float>::infinity());
  EXPECT_EQ(Brief(-std::numeric_limits<float>::infinity()), -std::numeric_limits<float>::infinity());
}

class SavedState : public testing::Test {
 protected:
  /// Load, model and season, all made up; holes now and then.
  static void Live(LinkForecaster& forecaster, base::Random& random, std::int64_t from, std::int64_t to,
                   std::vector<Forecast>& forecasts) {
    for (std::int64_t window = from; window < to; ++window) {
      if (window % 70 == 13) continue;
      forecaster.Observe(base::EventTime(5s * window), std::floor(100 * random.Uniform()));
      std::vector<double> ahead(5);
      for (double& usual : ahead) usual = 100 * random.Uniform();
      const ModelOpinion lstm{"lstm", ahead, std::vector<std::vector<double>>(5, {1, 2, 3, 40, 50, 60, 70})};
      const std::vector<ModelOpinion> models(window % 3 == 0 ? 0 : 1, lstm);
      forecasts.push_back(forecaster.Predict({models, "m", {100 * random.Uniform(), ahead}}));
    }
  }
  static void ExpectEqual(const Forecast& one, const Forecast& other) {
    EXPECT_EQ(one.made_at, other.made_at);
    EXPECT_EQ(one.quality, other.quality);
    ASSERT_EQ(one.horizons.size(), other.horizons.size());
    for (std::size_t h = 0; h < one.horizons.size(); ++h) {
      EXPECT_EQ(one.horizons[h].quantiles, other.horizons[h].quantiles);
      EXPECT_EQ(one.horizons[h].record.mae, other.horizons[h].record.mae);
      EXPECT_EQ(one.horizons[h].record.coverage_90, other.horizons[h].record.coverage_90);
    }
  }
};

TEST_F(SavedState, GoesOnAsIfNothingHadHappened) {
  for (const std::int64_t stop : {0, 1, 5, 39, 83, 200, 301}) {
    LinkForecaster straight{ForecasterOptions()}, before{ForecasterOptions()}, after{ForecasterOptions()};
    std::vector<Forecast> expected, resumed;
    base::Random one(7), other(7);
    Live(straight, one, 0, 400, expected);
    Live(before, other, 0, stop, resumed);
    ASSERT_TRUE(after.Restore(before.Save()));
    EXPECT_EQ(after.Save(), before.Save());
    Live(after, other, stop, 400, resumed);
    ASSERT_EQ(resumed.size(), expected.size());
    for (std::size_t i = 0; i < resumed.size(); ++i) ExpectEqual(resumed[i], expected[i]);
  }
}

TEST_F(SavedState, OfOtherOptionsOrDamagedIsNotTakenAndLeavesNothingBehind) {
  LinkForecaster lived{ForecasterOptions()}, fresh{ForecasterOptions()};
  std::vector<Forecast> forecasts;
  base::Random random(7);
  Live(lived, random, 0, 100, forecasts);
  const std::string good = lived.Save(), none = fresh.Save();
  ForecasterOptions other;
  other.horizons = {1, 2};
  LinkForecaster shorter{other};
  EXPECT_FALSE(shorter.Restore(good));
  for (const std::string& bad : {std::string(), good.substr(0, good.size() - 1), good + "x"}) {
    LinkForecaster forecaster{ForecasterOptions()};
    EXPECT_FALSE(forecaster.Restore(bad));
    EXPECT_EQ(forecaster.Save(), none);
  }
}

TEST_F(SavedState, ThatIsHostileGivesNoNumberThatIsNone) {
  LinkForecaster lived{ForecasterOptions()};
  std::vector<Forecast> forecasts;
  base::Random random(7);
  Live(lived, random, 0, 60, forecasts);
  const std::string good = lived.Save();
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    const std::size_t at = good.find('\n') + 1;
    for (int i = 0; i < 40; ++i)
      bad[at + random.Below(bad.size() - at)] = static_cast<char>(random.Below(256));
    LinkForecaster forecaster{ForecasterOptions()};
    forecaster.Restore(bad);
    forecasts.clear();
    Live(forecaster, random, 1000, 1004, forecasts);
    for (const HorizonForecast& horizon : forecasts.back().horizons) {
      for (const double value : horizon.quantiles) ASSERT_TRUE(std::isfinite(value)) << round;
    }
  }
}

/// Options are shared between links; what is published is not kept. The rest of 4 KiB is for the link's name,
/// its place in the table and what the service's allocator rounds up (bench/memory).
TEST(LinkForecaster, LeavesRoomInFourKibibytesALinkAtFiveHorizons) {
  const auto options = std::make_shared<ForecasterOptions>();
  constexpr std::size_t kLinks = 1000;
  std::vector<LinkForecaster> links;
  links.reserve(kLinks);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < kLinks; ++i) {
    links.emplace_back(options);
    links.back().Observe(base::EventTime(5s), 1);
  }
  const std::size_t each = (mallinfo2().uordblks - before) / kLinks + sizeof(LinkForecaster);
  RecordProperty("bytes_a_link", static_cast<int>(each));
  EXPECT_LE(each, 3600U);
}

}  // namespace
}  // namespace flowcast::forecast
