// Examples out of sequences: what belongs together, the split in time, targets and the way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/training/example_store.h"
#include "tests/support/sequences.h"

namespace flowcast::training {
namespace {

using namespace std::chrono_literals;
using feature::Sequence;
using support::At;
using support::MakeSequences;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<double> Counts(std::size_t count, std::uint64_t seed = 1) {
  base::Random random(seed);
  std::vector<double> counts;
  for (std::size_t i = 0; i < count; ++i) counts.push_back(std::floor(100 * random.Uniform()));
  return counts;
}

class ExampleStoreTest : public testing::Test {
 protected:
  void AddAll(const std::vector<Sequence>& sequences) {
    for (const Sequence& sequence : sequences) store_.Add(sequence);
  }
  ExampleStore store_{1000};
};

TEST_F(ExampleStoreTest, AnotherShapeIsLeftOutAndCounted) {
  AddAll(MakeSequences("a", Counts(10)));
  Sequence sequence = MakeSequences("b", Counts(3)).at(0);
  EXPECT_TRUE(store_.Add(sequence));
  EXPECT_FALSE(store_.Add(sequence)) << "there already";
  sequence.end += 5s;
  Sequence other = sequence;
  other.schema_hash ^= 1;
  EXPECT_FALSE(store_.Add(other));
  other = sequence;
  other.window_length = 1s;
  EXPECT_FALSE(store_.Add(other));
  EXPECT_FALSE(store_.Add(MakeSequences("b", Counts(4), 4).at(0)));
  EXPECT_EQ(store_.left_out(), 4u);
  EXPECT_EQ(store_.size(), 9u);
  EXPECT_EQ(store_.link_count(), 2u);
}

TEST_F(ExampleStoreTest, TheOldestOfALinkGoFirst) {
  store_ = ExampleStore(5);
  AddAll(MakeSequences("a", Counts(20)));
  AddAll(MakeSequences("b", Counts(4)));
  EXPECT_EQ(store_.size(), 7u);
  EXPECT_EQ(store_.oldest(), At(15)) << "of b";
  EXPECT_EQ(store_.newest(), At(100));
  EXPECT_THAT(store_.Pairs(At(0), At(1000), 1), SizeIs(4 + 1));
}

TEST_F(ExampleStoreTest, ATruthIsTheSameLinksSequenceHWindowsLater) {
  AddAll(MakeSequences("b", Counts(10)));
  AddAll(MakeSequences("a", Counts(10)));
  AddAll(MakeSequences("a", Counts(5), 3, 12));  // after a hole of two windows
  for (const int horizon : {1, 2, 4}) {
    const auto pairs = store_.Pairs(At(0), At(1000), horizon);
    EXPECT_FALSE(pairs.empty());
    for (const Pair& pair : pairs) {
      EXPECT_EQ(pair.truth->link, pair.sequence->link);
      EXPECT_EQ(pair.truth->end, pair.sequence->end + 5s * horizon);
    }
    EXPECT_EQ(pairs.front().sequence->link, "a") << "in order of link";
  }
  EXPECT_THAT(store_.Pairs(At(0), At(1000), 1), SizeIs(7 + 7 + 2));
  EXPECT_THAT(store_.Pairs(At(40), At(50), 1), SizeIs(2 + 2));
}

TEST_F(ExampleStoreTest, TheOrderOfArrivalDoesNotMatter) {
  auto sequences = MakeSequences("a", Counts(120));
  AddAll(sequences);
  const Dataset straight = store_.Build({});
  store_ = ExampleStore(1000);
  std::reverse(sequences.begin(), sequences.end());
  AddAll(sequences);
  const Dataset reversed = store_.Build({});
  EXPECT_EQ(straight.training.inputs, reversed.training.inputs);
  EXPECT_EQ(straight.training.targets, reversed.training.targets);
  EXPECT_EQ(straight.validation.targets, reversed.validation.targets);
}

TEST_F(ExampleStoreTest, NoWindowIsInInputsOfBothParts) {
  AddAll(MakeSequences("a", Counts(150), 10));
  const Dataset dataset = store_.Build({.validation_fraction = 0.3});
  const auto training = store_.Pairs(At(0), At(1000), 1);
  const Sequence& first = *dataset.validation_pairs.front().sequence;
  const auto first_window = first.end - 5s * 10;
  // Training takes the pairs from the start, so the last of them is known by their count.
  const Pair& last = training.at(dataset.training.count() - 1);
  EXPECT_LE(last.truth->end, first_window);
  EXPECT_EQ(dataset.validation.count(), dataset.validation_pairs.size());
  EXPECT_THAT(dataset.training.inputs, SizeIs(dataset.training.count() * 10 * feature::kFeatureCount));
}

TEST_F(ExampleStoreTest, NothingAfterTheTrainedPartIsLookedAt) {
  AddAll(MakeSequences("a", Counts(201, 5)));
  auto changed = Counts(201, 5);
  ExampleStore other(1000);
  const Dataset part = store_.Build({.train_fraction = 0.6});
  EXPECT_EQ(part.from, At(15));
  EXPECT_EQ(part.until, At(605)) << "a window's end, rounded down";
  for (std::size_t i = 121; i < changed.size(); ++i) changed[i] = 1e6;
  for (const Sequence& sequence : MakeSequences("a", changed)) other.Add(sequence);
  const Dataset same = other.Build({.train_fraction = 0.6});
  EXPECT_EQ(same.training.inputs, part.training.inputs);
  EXPECT_EQ(same.validation.inputs, part.validation.inputs);
  EXPECT_EQ(same.validation.targets, part.validation.targets);
  EXPECT_EQ(same.percentiles, part.percentiles);
}

TEST_F(ExampleStoreTest, TargetsAreInTheScaleOfTheirOwnSequenceAndComeBack) {
  AddAll(MakeSequences("a", Counts(200)));
  for (const int horizon : {1, 3}) {
    const Dataset dataset = store_.Build({.horizon_windows = horizon});
    for (std::size_t i = 0; i < dataset.validation.count(); ++i) {
      const Pair& pair = dataset.validation_pairs[i];
      const float target = dataset.validation.targets[i];
      if (std::abs(target) >= kLargestValue) continue;
      const auto raw = ToRaw(*pair.sequence, feature::kPackets, target);
      const double truth = pair.truth->last[feature::kPackets];
      const double most = 4 * std::max(pair.sequence->last[feature::kPackets], 1.0);
      if (truth >= most) continue;
      EXPECT_NEAR(*raw, truth, 1e-3 * (1 + truth));
    }
  }
}

TEST_F(ExampleStoreTest, InputsAndTargetsAreClipped) {
  auto counts = Counts(100);
  for (std::size_t i = 10; i < 20; ++i) counts[i] = 7;
  counts[20] = 1e9;
  AddAll(MakeSequences("a", counts));
  const Dataset dataset = store_.Build({});
  EXPECT_THAT(dataset.training.inputs, Each(testing::AllOf(testing::Ge(-10.F), testing::Le(10.F))));
  EXPECT_THAT(dataset.training.targets, testing::Contains(10.F));
}

TEST_F(ExampleStoreTest, PercentilesAreThoseOfEachLinkAndOfAll) {
  std::vector<double> a, b;
  for (int i = 1; i <= 102; ++i) a.push_back(i - 2), b.push_back(1000);
  AddAll(MakeSequences("a", a));
  AddAll(MakeSequences("b", b));
  const auto percentiles = store_.Build({}).percentiles;
  EXPECT_EQ(percentiles.at("a").at("p50"), 50);
  EXPECT_EQ(percentiles.at("a").at("p95"), 95);
  EXPECT_EQ(percentiles.at("a").at("p99"), 99);
  EXPECT_EQ(percentiles.at("b").at("p50"), 1000);
  EXPECT_EQ(percentiles.at("").at("p50"), 100);
  EXPECT_EQ(percentiles.at("").at("p90"), 1000);
}

TEST_F(ExampleStoreTest, TooLittleIsSaidWithWhatIsNeeded) {
  const auto complaint = [this] {
    try {
      store_.Build({});
    } catch (const base::RuntimeError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(complaint(), HasSubstr("is flowcast-features running?"));
  AddAll(MakeSequences("a", Counts(20)));
  EXPECT_THAT(complaint(),
              HasSubstr("13 examples to train and 0 to validate, at least 10 of each are needed"));
}

TEST(ToRawTest, StaysWithinFourTimesWhatTheSequenceHasSeen) {
  const Sequence sequence = MakeSequences("a", {10, 20, 30}).at(0);
  const double above = std::exp(sequence.centre[0] + sequence.scale[0]) - 1;
  EXPECT_NEAR(*ToRaw(sequence, feature::kPackets, 1e30F), 4 * above, 1e-9);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets, -1e30F), 0);
  EXPECT_NEAR(*ToRaw(sequence, feature::kPackets, 0), 20, 1e-9);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets, std::numeric_limits<float>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets, std::numeric_limits<float>::infinity()), std::nullopt);
}

class MiddleOrNothing : public Predictor {
 public:
  std::vector<float> Predict(std::span<const float> inputs) override {
    std::vector<float> answers;
    for (std::size_t i = 0; i < inputs.size(); i += 3 * feature::kFeatureCount) {
      answers.push_back(answers.size() % 2 == 0 ? 0.F : std::numeric_limits<float>::quiet_NaN());
    }
    return answers;
  }
  std::int64_t length() const override { return 3; }
  std::int64_t features() const override { return feature::kFeatureCount; }
};

TEST_F(ExampleStoreTest, PersistenceStandsInForAnAnswerThatIsNoNumber) {
  store_ = ExampleStore(5000);
  AddAll(MakeSequences("a", Counts(3000)));
  MiddleOrNothing predictor;
  const auto pairs = store_.Pairs(At(0), At(1e6), 1);
  const auto scored = Forecast(predictor, pairs, feature::kPackets);
  ASSERT_THAT(scored, SizeIs(2997));
  EXPECT_NEAR(scored[1024].forecast, std::exp(pairs[1024].sequence->centre[0]) - 1, 1e-6);
  EXPECT_EQ(scored[1025].forecast, scored[1025].persistence);
  EXPECT_EQ(scored[1025].persistence, pairs[1025].sequence->last[0]);
  EXPECT_EQ(scored[1025].actual, pairs[1025].truth->last[0]);
}

}  // namespace
}  // namespace flowcast::training
