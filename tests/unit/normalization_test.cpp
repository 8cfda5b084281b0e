// Ways to normalize: what they are by definition, and that each can be taken back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/feature/sequence_builder.h"

namespace flowcast::feature {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Scaling kAll[] = {Scaling::kRobust, Scaling::kZScore, Scaling::kMinMax, Scaling::kNone};

Normalization FitOf(const std::vector<double>& values, Scaling scaling) {
  return Fit(values, TransformFor(Transform::kLinear, scaling), scaling, 0.05);
}

TEST(NormalizationTest, CentreAndScaleAreWhatTheirNamesSay) {
  const std::vector<double> values{4, 1, 2, 9};
  const Normalization robust = FitOf(values, Scaling::kRobust);
  EXPECT_DOUBLE_EQ(robust.centre, 3);
  EXPECT_DOUBLE_EQ(robust.scale, std::sqrt(M_PI / 2) * (1 + 2 + 1 + 6) / 4);
  const Normalization z_score = FitOf(values, Scaling::kZScore);
  EXPECT_DOUBLE_EQ(z_score.centre, 4);
  EXPECT_DOUBLE_EQ(z_score.scale, std::sqrt((0 + 9 + 4 + 25) / 4.0));
  const Normalization min_max = FitOf(values, Scaling::kMinMax);
  EXPECT_DOUBLE_EQ(min_max.centre, 1);
  EXPECT_DOUBLE_EQ(min_max.scale, 8);
  const Normalization none = FitOf(values, Scaling::kNone);
  EXPECT_DOUBLE_EQ(none.centre, 0);
  EXPECT_DOUBLE_EQ(none.scale, 1);
}

TEST(NormalizationTest, AColumnThatDoesNotVaryDividesByNothing) {
  EXPECT_DOUBLE_EQ(FitOf({7, 7, 7}, Scaling::kRobust).scale, 0.05);
  EXPECT_DOUBLE_EQ(FitOf({7, 7, 7}, Scaling::kZScore).scale, 1);
  EXPECT_DOUBLE_EQ(FitOf({7, 7, 7}, Scaling::kMinMax).scale, 1);
  const std::vector<double> tenths(10, 0.1);  // whose mean is not 0.1
  EXPECT_EQ(FitOf(tenths, Scaling::kZScore).centre, 0.1);
  EXPECT_EQ(FitOf(tenths, Scaling::kZScore).scale, 1);
}

TEST(NormalizationTest, OnlyTheRobustOneTakesLogarithmsAndTheCalendarPassesThrough) {
  for (const Scaling scaling : kAll) {
    const bool robust = scaling == Scaling::kRobust;
    EXPECT_EQ(TransformFor(Transform::kLog1p, scaling), robust ? Transform::kLog1p : Transform::kLinear);
    EXPECT_EQ(TransformFor(Transform::kIdentity, scaling), Transform::kIdentity);
    const std::vector<double> values{0.5, -0.5};
    EXPECT_EQ(Fit(values, Transform::kIdentity, scaling, 1).scale, 1);
  }
}

TEST(NormalizationTest, DenormalizeTakesItBackWhateverTheWay) {
  base::Random random(3);
  for (const Scaling scaling : kAll) {
    for (int i = 0; i < 500; ++i) {
      const Feature& feature = Catalogue()[random.Below(kCatalogueCount)];
      const Transform transform = TransformFor(feature.transform, scaling);
      std::vector<double> raw, forward;
      for (int k = 0; k < 10; ++k) {
        raw.push_back(std::exp(20 * random.Uniform() - 5));
        forward.push_back(Forward(transform, raw.back()));
      }
      const Normalization fit = Fit(forward, transform, scaling, feature.scale_floor);
      ASSERT_GT(fit.scale, 0);
      double largest = 1;
      for (const double value : raw) largest = std::max(largest, value);
      for (const double value : raw) {
        const double back = Denormalize(transform, Normalize(transform, value, fit), fit);
        EXPECT_NEAR(back, value, 1e-9 * largest) << feature.name << " " << Name(scaling);
      }
    }
  }
}

TEST(NormalizationTest, ManyColumnsAtOnceAreFittedToTheSameBits) {
  base::Random random(4);
  constexpr std::size_t kColumns = 7;
  for (std::size_t rows = 1; rows <= 70; ++rows) {
    std::vector<double> matrix;
    for (std::size_t i = 0; i < rows * kColumns; ++i) matrix.push_back(std::floor(10 * random.Uniform()) / 3);
    const std::vector<double> medians = ColumnMedians(matrix, kColumns);
    ASSERT_EQ(medians.size(), kColumns);
    for (std::size_t f = 0; f < kColumns; ++f) {
      std::vector<double> column;
      for (std::size_t i = 0; i < rows; ++i) column.push_back(matrix[i * kColumns + f]);
      const Normalization alone = Fit(column, Transform::kLog1p, Scaling::kRobust, 0.05);
      const Normalization fit = FitAround(medians[f], column, Transform::kLog1p, 0.05);
      ASSERT_EQ(fit.centre, alone.centre) << rows << " rows";
      ASSERT_EQ(fit.scale, alone.scale) << rows << " rows";
      ASSERT_EQ(FitAround(medians[f], column, Transform::kIdentity, 0.05).centre, 0);
    }
  }
}

TEST(NormalizationTest, AHugeValueSaturates) {
  EXPECT_TRUE(std::isfinite(Denormalize(Transform::kLog1p, 1e6, {10, 100})));
  EXPECT_DOUBLE_EQ(Denormalize(Transform::kLog1p, -1e6, {10, 100}), -1);
}

TEST(NormalizationTest, ItsNameIsReadAndAnotherOneIsExplained) {
  for (const Scaling scaling : kAll) EXPECT_EQ(ParseScaling(Name(scaling)), scaling);
  try {
    ParseScaling("zscore");
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("robust, z-score, min-max or none"));
  }
}

TEST(NormalizationTest, SequencesOfAnotherWayHaveAnotherHashAndWindowsTheSame) {
  std::vector<std::uint64_t> hashes;
  for (const Scaling scaling : kAll) {
    const Schema schema = Schema::Parse("default", scaling);
    EXPECT_EQ(schema.hash(), Schema::Default().hash());
    hashes.push_back(schema.sequence_hash());
  }
  EXPECT_EQ(hashes[0], Schema::Default().hash());
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::unique(hashes.begin(), hashes.end()), hashes.end());
}

TEST(NormalizationTest, ASequenceIsNormalizedAsItsSchemaSaysAndTellsSo) {
  for (const Scaling scaling : kAll) {
    const Schema schema = Schema::Parse("packets,bytes", scaling);
    SequenceBuilder builder(3, schema);
    std::optional<Sequence> sequence;
    for (int i = 0; i < 3; ++i) {
      Window window{.link = "a", .start = base::FromUnixNanoseconds(0) + i * 5s, .length = 5s};
      window.features = {100.0 + 100 * i, 5};
      sequence = builder.Add(window);
    }
    ASSERT_TRUE(sequence);
    EXPECT_EQ(sequence->scaling, scaling);
    EXPECT_EQ(sequence->schema_hash, schema.sequence_hash());
    const Transform transform = TransformFor(Transform::kLog1p, scaling);
    const Normalization packets{sequence->centre[0], sequence->scale[0]};
    EXPECT_NEAR(Denormalize(transform, static_cast<double>(sequence->values[4]), packets), 300, 1e-3);
    if (scaling == Scaling::kMinMax) {
      EXPECT_EQ(sequence->values[4], 1);
    }
    if (scaling == Scaling::kNone) {
      EXPECT_EQ(sequence->values[4], 300);
    }
  }
}

}  // namespace
}  // namespace flowcast::feature
