// What a network's answers mean to a link's forecaster.
#include "libs/training/model_opinion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "libs/base/random.h"
#include "tests/support/sequences.h"

namespace flowcast::training {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsNan;
using testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(OpinionOfTest, GivesTheMedianOfEachHorizonInRawUnitsAndNothingWhereItHasNone) {
  const feature::Sequence sequence = support::MakeSequences("a", {10, 20, 30}).at(0);
  const Shape shape = ShapeOf(sequence, {feature::kPackets}, {1, 6}, {0.5});
  const std::vector<float> row{0, kNan};
  const auto opinion = OpinionOf("xgboost", sequence, feature::kPackets, {1, 3, 6}, shape, row);
  EXPECT_EQ(opinion.name, "xgboost");
  ASSERT_THAT(opinion.medians, SizeIs(3));
  EXPECT_NEAR(opinion.medians[0], 20, 1e-9) << "the middle of the sequence";
  EXPECT_THAT(opinion.medians[1], IsNan()) << "not among its horizons";
  EXPECT_THAT(opinion.medians[2], IsNan()) << "not finite";
  EXPECT_THAT(opinion.quantiles, IsEmpty());
}

TEST(OpinionOfTest, QuantilesStayInOrderWhateverTheSequence) {
  base::Random random(11);
  const std::vector<double> levels(std::begin(forecast::kQuantileLevels),
                                   std::end(forecast::kQuantileLevels));
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> packets{1e4 * random.Uniform(), 1e4 * random.Uniform(), 1e4 * random.Uniform()};
    const feature::Sequence sequence = support::MakeSequences("a", packets).at(0);
    const Shape shape = ShapeOf(sequence, {feature::kBytes, feature::kPackets}, {1, 2}, levels);
    std::vector<float> row(shape.answer_size());
    for (float& value : row) value = static_cast<float>(20 * random.Normal());
    const auto begin = row.begin() + static_cast<std::ptrdiff_t>(shape.AnswerAt(1, 1, 0));
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(levels.size()));
    const auto opinion = OpinionOf("lstm", sequence, feature::kPackets, {2}, shape, row);
    ASSERT_THAT(opinion.quantiles, SizeIs(1));
    EXPECT_THAT(opinion.quantiles[0], SizeIs(forecast::kQuantileCount));
    EXPECT_TRUE(std::is_sorted(opinion.quantiles[0].begin(), opinion.quantiles[0].end()));
    EXPECT_EQ(opinion.quantiles[0][forecast::kMedian], opinion.medians[0]);
  }
}

TEST(SeasonOfTest, IsTheUsualLoadOfTheTargetAndUnknownForOthers) {
  feature::Sequence sequence = support::MakeSequences("a", {10, 20, 30}).at(0);
  EXPECT_THAT(SeasonOf(sequence, feature::kPackets, {1, 2}).season().ahead, IsEmpty());
  sequence.usual = {{.packets = 5, .bytes = 50, .days = 1}, {.packets = 6, .bytes = 60, .days = 1}, {}};
  const SeasonOf bytes(sequence, feature::kBytes, {1, 2, 3});
  EXPECT_EQ(bytes.season().now, 50);
  EXPECT_THAT(bytes.season().ahead, ElementsAre(60, IsNan(), IsNan()));
  const SeasonOf jitter(sequence, Target(feature::Schema::Default(), "jitter"), {1});
  EXPECT_THAT(jitter.season().now, IsNan());
  EXPECT_THAT(jitter.season().ahead, ElementsAre(IsNan()));
}

}  // namespace
}  // namespace flowcast::training
