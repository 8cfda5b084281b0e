// When a trainer learns again, and what it knows after a restart.
#include <gmock/gmock.h>

#include <array>

#include "libs/wire/model_wire.h"
#include "tests/service/trainer_fixture.h"

namespace flowcast::services {
namespace {

using testing::ElementsAre;

TEST_F(TrainerServiceTest, TrainsWhenTheLiveErrorHasDrifted) {
  Feed("demo/a", 100);
  int rounds = 0;
  std::vector<int> runs;
  stop = [&] {
    clock_.Advance(1s);
    ++rounds;
    if (rounds == 50) FeedForecasts(500, 8);
    if (rounds == 60) Feed("demo/a", 10, 98);
    if (rounds == 100) runs.push_back(learner_.runs);
    if (rounds == 101) FeedForecasts(500, 9.8);
    if (rounds == 200) runs.push_back(learner_.runs);
    if (rounds == 201) Feed("demo/a", 10, 106);
    if (rounds == 300) runs.push_back(learner_.runs);
    return rounds >= 300;
  };
  Make({.retrain = {.every = 10h, .drift_ratio = 1.2}}).RunContinuously(1);
  EXPECT_THAT(runs, ElementsAre(1, 2, 2)) << "no drift yet; drift; a new measure after that";
  EXPECT_TRUE(lines_.Contain("times what it was at first"));
  const auto listing = model_topic::List(bus_, names_, "default");
  EXPECT_EQ(listing.versions.rbegin()->second.manifest.decision.trained_for, "drift");
}

TEST_F(TrainerServiceTest, ARestartedTrainerGoesOnWithItsTimeAndItsMeasureOfDrift) {
  const TrainerOptions options{.retrain = {.every = 1h, .drift_ratio = 1.2}};
  Feed("demo/a", 100);
  RunFor(50, options);
  RunFor(100, options, [this] { FeedForecasts(500, 8); });
  Feed("demo/a", 10, 98);
  RunFor(100, options);
  EXPECT_EQ(learner_.runs, 1) << "it is not time yet, and nothing has drifted";
  EXPECT_TRUE(lines_.Contain("goes on from the training of"));
  EXPECT_NEAR(progress_.drift.value_or(0), 1, 0.01);
  RunFor(100, options, [this] { FeedForecasts(500, 9.8); });
  EXPECT_EQ(learner_.runs, 2) << "the measure is that of two trainers before";
  Feed("demo/a", 10, 106);
  clock_.Advance(2h);
  RunFor(50, options);
  EXPECT_EQ(learner_.runs, 3) << "the time passed while none ran";
}

TEST_F(TrainerServiceTest, ARestartedTrainerCountsWhatCameSinceTheLastTraining) {
  const TrainerOptions options{.retrain = {.every = 10h, .after_sequences = 50}};
  for (const auto& [windows, first, runs] : {std::array{100, 0, 1}, {40, 98, 1}, {20, 138, 2}}) {
    Feed("demo/a", windows, first);
    RunFor(50, options);
    EXPECT_EQ(learner_.runs, runs);
  }
}

TEST_F(TrainerServiceTest, WithOtherSettingsOrWithoutTheModelInUseARestartedOneLearnsAtOnce) {
  Feed("demo/a", 100);
  TrainerOptions options{.retrain = {.every = 10h}};
  RunFor(50, options);
  options.dataset.horizons = {1, 2};
  RunFor(50, options);
  EXPECT_EQ(learner_.runs, 2);
  options.recipe = "another";
  RunFor(50, options);
  EXPECT_EQ(learner_.runs, 3);
  support::Send(bus_, names_.models, wire::EncodeCurrentModel("gone"), wire::CurrentModelKey("default"));
  RunFor(50, options);
  EXPECT_EQ(learner_.runs, 4);
  folder().KeepMemory("default", "garbage");
  RunFor(50, options);
  EXPECT_EQ(learner_.runs, 5);
}

}  // namespace
}  // namespace flowcast::services
