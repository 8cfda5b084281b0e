// Examples out of sequences: what belongs together, the split in time, targets and the way back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "libs/base/error.h"
#include "libs/base/random.h"
#include "libs/training/example_store.h"
#include "libs/training/objection.h"
#include "libs/training/predictors.h"
#include "tests/support/fake_network.h"
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

TEST_F(ExampleStoreTest, AnotherShapeIsLeftOut) {
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
  EXPECT_EQ(store_.size(), 9u);
  EXPECT_EQ(store_.link_count(), 2u);
}

TEST_F(ExampleStoreTest, TheOldestGoFirstAndWithThemLinksThatHaveNothingNewer) {
  store_ = ExampleStore(5);
  AddAll(MakeSequences("b", Counts(4)));
  AddAll(MakeSequences("a", Counts(20)));
  EXPECT_EQ(store_.size(), 5u);
  EXPECT_EQ(store_.link_count(), 1u);
  EXPECT_EQ(store_.oldest(), At(80));
  EXPECT_EQ(store_.newest(), At(100));
  EXPECT_FALSE(store_.Add(MakeSequences("b", Counts(4)).at(0))) << "it is too old";
  AddAll(MakeSequences("c", Counts(8), 3, 10));
  EXPECT_EQ(store_.size(), 5u + 3) << "those until 80, 85 and 90";
  EXPECT_THAT(store_.Pairs(At(0), At(1000), 1), SizeIs(4 + 2));
}

/// A bound of so many sequences of 3 windows with one horizon.
StoreLimits Room(std::size_t sequences) {
  ExampleStore store(1);
  store.Add(MakeSequences("x", Counts(3)).at(0));
  return {.per_link = 10'000, .bytes = sequences * store.bytes_each()};
}

std::map<std::string, std::vector<base::EventTime>> KeptOf(const ExampleStore& store) {
  std::map<std::string, std::vector<base::EventTime>> kept;
  for (const Pair& pair : store.Pairs(At(0), base::kEndOfTime, 1)) {
    kept[pair.sequence->link].push_back(pair.sequence->end);
  }
  return kept;
}

TEST_F(ExampleStoreTest, OfTooManyEachLinkKeepsAnEvenSampleWithItsTruths) {
  store_ = ExampleStore(Room(300));
  AddAll(MakeSequences("busy", Counts(2000)));
  AddAll(MakeSequences("calm", Counts(52)));
  AddAll(MakeSequences("other", Counts(1000)));
  EXPECT_LE(store_.size(), 300u);
  EXPECT_GE(store_.size(), 270u);
  EXPECT_EQ(store_.sampled_out(), 1998 + 50 + 998 - store_.size());
  const auto kept = KeptOf(store_);
  EXPECT_THAT(kept.at("calm"), SizeIs(49)) << "all that has a truth";
  EXPECT_NEAR(static_cast<double>(kept.at("busy").size()), static_cast<double>(kept.at("other").size()), 2);
  // Evenly over time: a fifth of the time has about a fifth of the sample.
  const auto& busy = kept.at("busy");
  for (int part = 0; part < 5; ++part) {
    const auto in_part = std::count_if(busy.begin(), busy.end(), [part](base::EventTime end) {
      return end > At(2000 * part) && end <= At(2000 * (part + 1));
    });
    EXPECT_NEAR(static_cast<double>(in_part), static_cast<double>(busy.size()) / 5, 15);
  }
  for (const Pair& pair : store_.Pairs(At(0), base::kEndOfTime, 1)) {
    EXPECT_EQ(pair.truth->end, pair.sequence->end + 5s);
    EXPECT_EQ(pair.truth->last.size(), pair.sequence->last.size());
  }
}

TEST_F(ExampleStoreTest, TheSampleDoesNotDependOnHowLinksCameInterleaved) {
  const auto a = MakeSequences("a", Counts(900, 1)), b = MakeSequences("b", Counts(700, 2));
  store_ = ExampleStore(Room(200));
  AddAll(a);
  AddAll(b);
  const auto straight = KeptOf(store_);
  store_ = ExampleStore(Room(200));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i < b.size()) store_.Add(b[i]);
    store_.Add(a[i]);
  }
  EXPECT_EQ(KeptOf(store_), straight);
}

TEST_F(ExampleStoreTest, ASampleForgetsTheOldestOfALinkToo) {
  StoreLimits limits = Room(50);
  limits.per_link = 300;
  store_ = ExampleStore(limits);
  AddAll(MakeSequences("a", Counts(3000)));
  EXPECT_LE(store_.size(), 50u);
  EXPECT_GE(store_.size(), 30u);
  EXPECT_GT(store_.oldest(), At(5 * (3000 - 300 - 1)));
  EXPECT_FALSE(store_.Add(MakeSequences("a", Counts(3), 3, 100).at(0))) << "older than the newest";
  EXPECT_EQ(store_.newest(), At(5 * 3000));
}

TEST_F(ExampleStoreTest, OfLinksThatAreTooManyForOneSequenceEachASampleKeepsOne) {
  const auto fill = [this](int first, int step) {
    store_ = ExampleStore(Room(50));
    for (int i = 0, link = first; i < 1000; ++i, link += step)
      AddAll(MakeSequences("pod" + std::to_string(link), Counts(5)));
    EXPECT_LE(store_.size(), 50u);
    EXPECT_GE(store_.size(), 40u);
    EXPECT_EQ(store_.link_count(), store_.size());
    EXPECT_EQ(store_.sampled_out(), 3 * 1000 - store_.size());
    return KeptOf(store_);
  };
  EXPECT_EQ(fill(0, 1), fill(999, -1)) << "whichever came first";
}

TEST_F(ExampleStoreTest, LinksThatAreForgottenMakeRoomForTheOthers) {
  StoreLimits limits = Room(100);
  limits.per_link = 200;
  store_ = ExampleStore(limits);
  for (int i = 0; i < 500; ++i) AddAll(MakeSequences("pod" + std::to_string(i), Counts(3)));
  for (const char* const link : {"a", "b", "c"}) AddAll(MakeSequences(link, Counts(800), 3, 1));
  EXPECT_EQ(store_.link_count(), 3u);
  EXPECT_LE(store_.size(), 100u);
  EXPECT_GE(store_.size(), 80u);
}

TEST_F(ExampleStoreTest, TheSameExamplesComeOfASampleAndTheRestIsThere) {
  StoreLimits limits = Room(120);
  limits.horizons = {1, 3};
  store_ = ExampleStore(limits);
  const auto counts = Counts(1000);
  AddAll(MakeSequences("a", counts));
  const Dataset dataset = store_.Build({.horizons = {1, 3}});
  EXPECT_GE(dataset.training.count + dataset.validation.count, 60u);
  for (const float target : dataset.training.targets) EXPECT_TRUE(std::isfinite(target));
  for (const Pair& pair : store_.Pairs(At(0), base::kEndOfTime, 3)) {
    const auto window =
        static_cast<std::size_t>(base::ToUnixSeconds(pair.truth->end) - base::ToUnixSeconds(At(0))) / 5;
    EXPECT_EQ(pair.truth->last[feature::kPackets], counts.at(window - 1));
  }
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
  const auto validation = store_.Pairs(dataset.validation_from, dataset.until, 1);
  const Sequence& first = *validation.front().sequence;
  const auto first_window = first.end - 5s * 10;
  // Training takes the pairs from the start, so the last of them is known by their count.
  const Pair& last = training.at(dataset.training.count - 1);
  EXPECT_LE(last.truth->end, first_window);
  EXPECT_EQ(dataset.validation.count, validation.size());
  EXPECT_THAT(dataset.training.inputs, SizeIs(dataset.training.count * 10 * feature::kFeatureCount));
}

TEST_F(ExampleStoreTest, ALinkThatEndedLongAgoTakesNothingFromTheOthersTraining) {
  const auto live = MakeSequences("live", Counts(1002), 3, 100'000);
  AddAll(live);
  const Dataset alone = store_.Build({});
  EXPECT_NEAR(static_cast<double>(alone.training.count), 800, 2);
  store_ = ExampleStore(1000);
  AddAll(MakeSequences("dead", Counts(1002)));
  AddAll(live);
  const Dataset both = store_.Build({});
  EXPECT_EQ(both.from, alone.from);
  EXPECT_EQ(both.training.inputs, alone.training.inputs);
  EXPECT_EQ(both.validation.inputs, alone.validation.inputs);
  EXPECT_EQ(both.percentiles, alone.percentiles);
}

TEST_F(ExampleStoreTest, ATimeWithoutWindowsDoesNotMoveTheSplitHoweverLongItIs) {
  std::vector<std::size_t> counts;
  for (const int hole : {0, 100'000}) {
    store_ = ExampleStore(1000);
    AddAll(MakeSequences("before", Counts(300)));
    AddAll(MakeSequences("after", Counts(300), 3, 300 + hole));
    const Dataset dataset = store_.Build({});
    for (const Pair& pair : store_.Pairs(dataset.validation_from, dataset.until, 1))
      EXPECT_EQ(pair.sequence->link, "after");
    counts.insert(counts.end(), {dataset.training.count, dataset.validation.count});
  }
  EXPECT_GT(counts[0], 297u) << "both are learned from";
  EXPECT_EQ(counts[0], counts[2]);
  EXPECT_EQ(counts[1], counts[3]);
}

TEST_F(ExampleStoreTest, AWindowFromTheFutureLeavesTheOthersToLearnFrom) {
  AddAll(MakeSequences("a", Counts(202)));
  const Dataset before = store_.Build({});
  AddAll(MakeSequences("b", Counts(4), 3, 100'000'000));
  const Dataset after = store_.Build({});
  EXPECT_NEAR(static_cast<double>(after.training.count), static_cast<double>(before.training.count), 2);
  EXPECT_NEAR(static_cast<double>(after.validation.count), static_cast<double>(before.validation.count), 2);
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
    const Dataset dataset = store_.Build({.horizons = {horizon}});
    const auto pairs = store_.Pairs(dataset.validation_from, dataset.until, horizon);
    ASSERT_EQ(dataset.validation.count, pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Pair& pair = pairs[i];
      const float target = dataset.validation.targets[i];
      if (std::abs(target) >= kLargestValue) continue;
      const auto raw = ToRaw(*pair.sequence, feature::kPackets)(target);
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
  const auto percentiles = store_.Build({}).percentiles.at(0);
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

TEST_F(ExampleStoreTest, SeveralHorizonsShareAnExampleAndAnAbsentTruthIsNoNumber) {
  AddAll(MakeSequences("a", Counts(150)));
  const Dataset dataset = store_.Build({.horizons = {1, 5}, .levels = {0.1, 0.5, 0.9}});
  EXPECT_EQ(dataset.shape.target_size(), 2u);
  EXPECT_EQ(dataset.shape.answer_size(), 6u);
  EXPECT_EQ(dataset.shape.context, 4);
  EXPECT_THAT(dataset.training.targets, SizeIs(2 * dataset.training.count));
  EXPECT_THAT(dataset.training.context, SizeIs(4 * dataset.training.count));
  const auto near = store_.Pairs(At(0), At(1000), 1);
  const auto far = store_.Pairs(At(0), At(1000), 5);
  for (std::size_t i = 0; i < dataset.training.count; ++i) {
    EXPECT_EQ(dataset.training.targets[2 * i],
              ToOwnScale(*near[i].sequence, feature::kPackets, near[i].truth->last[0]));
    const float later = dataset.training.targets[2 * i + 1];
    if (i + 4 < dataset.training.count) {
      EXPECT_EQ(later, ToOwnScale(*far[i].sequence, feature::kPackets, far[i].truth->last[0]));
    } else {
      EXPECT_TRUE(std::isnan(later)) << "its truth is not in the training part";
    }
  }
}

TEST_F(ExampleStoreTest, ErrorsWeighAsInRawUnitsWithinALink) {
  std::vector<double> counts = Counts(75);
  for (const double count : Counts(75)) counts.push_back(100 * count);
  AddAll(MakeSequences("a", counts));
  AddAll(MakeSequences("b", Counts(150)));
  const Dataset dataset = store_.Build({});
  ASSERT_THAT(dataset.training.weights, SizeIs(dataset.training.count));
  const std::size_t half = dataset.training.count / 2;
  double sums[2] = {};
  for (std::size_t i = 0; i < 2 * half; ++i) sums[i / half] += dataset.training.weights[i];
  EXPECT_NEAR(sums[0], static_cast<double>(half), 0.01 * static_cast<double>(half)) << "of the first link";
  EXPECT_NEAR(sums[1], static_cast<double>(half), 0.01 * static_cast<double>(half));
  EXPECT_GT(dataset.training.weights[half - 1], 20 * dataset.training.weights[0]);
}

class MiddleOrNothing : public Predictor {
 public:
  std::vector<float> Predict(std::span<const float> inputs, std::span<const float> /*context*/) override {
    std::vector<float> answers;
    for (std::size_t i = 0; i < inputs.size(); i += 3 * feature::kFeatureCount) {
      answers.push_back(answers.size() % 2 == 0 ? 0.F : std::numeric_limits<float>::quiet_NaN());
    }
    return answers;
  }
  const Shape& shape() const override { return shape_; }

 private:
  Shape shape_{.length = 3, .features = feature::kFeatureCount};
};

TEST_F(ExampleStoreTest, PersistenceStandsInForAnAnswerThatIsNoNumber) {
  store_ = ExampleStore(5000);
  AddAll(MakeSequences("a", Counts(3000)));
  MiddleOrNothing predictor;
  const auto pairs = store_.Pairs(At(0), At(1e6), 1);
  const auto scored = Forecast(predictor, pairs, feature::kPackets, 1);
  ASSERT_THAT(scored, SizeIs(2997));
  EXPECT_NEAR(scored[1024].forecast, std::exp(pairs[1024].sequence->centre[0]) - 1, 1e-6);
  EXPECT_EQ(scored[1025].forecast, scored[1025].persistence);
  EXPECT_EQ(scored[1025].persistence, pairs[1025].sequence->last[0]);
  EXPECT_EQ(scored[1025].actual, pairs[1025].truth->last[0]);
}

TEST_F(ExampleStoreTest, SeveralForecastersAnswerByNameAndInTheMean) {
  AddAll(MakeSequences("a", Counts(50)));
  const auto pairs = store_.Pairs(At(0), At(1000), 1);
  const PredictorLoader load = support::LoadFake();
  const feature::Schema& schema = feature::Schema::Default();
  const model_store::Manifest manifest{.target = "packets", .sequence_length = 3};
  const PredictorLoaders loaders{{"x", load}, {"y", load}};
  const Predictors predictors = LoadPredictors(loaders, {manifest, {{"x", "0"}, {"y", "1"}}}, schema);
  const auto said = ForecastAll(predictors, pairs, feature::kPackets, 1);
  ASSERT_EQ(said.size(), 3u);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_DOUBLE_EQ(said.at(kTogether)[i].forecast,
                     (said.at("x")[i].forecast + said.at("y")[i].forecast) / 2);
    EXPECT_EQ(said.at(kTogether)[i].actual, pairs[i].truth->last[feature::kPackets]);
  }
  EXPECT_TRUE(ForecastAll(predictors, {}, feature::kPackets, 1).at(kTogether).empty());
  try {
    LoadPredictors(loaders, {manifest, {{"z", "0"}}}, schema);
    FAIL() << "loaded what nobody knows";
  } catch (const base::RuntimeError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'z'"));
  }
  try {
    LoadPredictors(loaders, {manifest, {{"x", "0"}, {"y", "1 7"}}}, schema);
    FAIL() << "loaded what nobody can ask";
  } catch (const base::RuntimeError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'y' cannot be used: its network wants 7 columns"));
  }
}

}  // namespace
}  // namespace flowcast::training
