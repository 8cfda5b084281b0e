// The trainer over the in-memory bus with a learner that learns nothing.
#include <gmock/gmock.h>

#include "libs/base/error.h"
#include "libs/wire/model_wire.h"
#include "services/trainer/trainer_metrics.h"
#include "tests/service/trainer_fixture.h"
#include "tests/support/metrics.h"

namespace flowcast::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

TEST_F(TrainerServiceTest, TrainsOncePublishesTheModelAndPointsAtIt) {
  Feed("demo/a", 100);
  support::Send(bus_, names_.sequences, "no protobuf");
  const model_store::Manifest manifest = Make().RunOnce(1).value();
  const auto records = bus_.Records(names_.models);
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].key, "default/" + manifest.version);
  EXPECT_EQ(records[1].key, "default/current");
  EXPECT_EQ(wire::DecodeCurrentModel(records[1].value).value(), manifest.version);
  const auto model = wire::DecodeModel(records[0].value);
  ASSERT_TRUE(model);
  EXPECT_THAT(model->networks, ElementsAre(Pair("lstm", "0")));
  EXPECT_EQ(ToJson(model->manifest), ToJson(manifest));
  EXPECT_EQ(model_store::ModelFolder(root_).LoadCurrent("default").networks.at("lstm"), "0");
}

TEST_F(TrainerServiceTest, ItsMetricsTellWhatWasReadAndWhatCameOfIt) {
  EXPECT_THAT(support::Problems(TrainerMetrics().Read(progress_), "flowcast_trainer_"), IsEmpty());
  Feed("demo/a", 100);
  Feed("demo/a", 10);
  support::Send(bus_, names_.sequences, "no protobuf");
  const model_store::Manifest manifest = Make().RunOnce(1).value();
  const auto metrics = TrainerMetrics().Read(progress_);
  EXPECT_THAT(support::Problems(metrics, "flowcast_trainer_"), IsEmpty());
  const auto value = [&](const std::string& name, const std::string& label = "") {
    return support::ValueOf(metrics, "flowcast_trainer_" + name, label);
  };
  EXPECT_EQ(value("records_total"), static_cast<double>(bus_.Records(names_.sequences).size()));
  EXPECT_EQ(value("records_total", "kept"), value("sequences"));
  EXPECT_EQ(value("records_total", "left_out"), 8) << "ten windows are eight sequences of three";
  EXPECT_EQ(value("records_total", "refused"), 1);
  EXPECT_EQ(value("unread_records", "sequences"), 0);
  EXPECT_EQ(value("read_timestamp_seconds", "sequences"), base::ToUnixSeconds(clock_.Now()));
  EXPECT_TRUE(std::isnan(value("read_timestamp_seconds", "forecasts"))) << "none was read";
  EXPECT_EQ(value("trainings_total", "published"), 1);
  EXPECT_EQ(value("model_info", manifest.version), 1);
  EXPECT_EQ(value("model_trained_until_timestamp_seconds"), base::ToUnixSeconds(manifest.trained_until));
  EXPECT_EQ(value("model_absolute_error", "model"), manifest.metrics.mae);
  EXPECT_EQ(value("model_absolute_error", "lstm"), manifest.metrics.mae) << "there is no other";
  EXPECT_EQ(value("epochs_total"), static_cast<double>(manifest.forecaster("lstm")->history.size()));
}

TEST_F(TrainerServiceTest, ItsMetricsTellHowFarItIsBehind) {
  Feed("demo/a", 2602);
  const auto value = [this](const std::string& name, const std::string& label) {
    return support::ValueOf(TrainerMetrics().Read(progress_), "flowcast_trainer_" + name, label);
  };
  double most = 0;
  int round = 0;
  stop = [&] {
    clock_.Advance(1s);
    if (++round == 5) FeedForecasts(7, 1);
    most = std::max(most, value("unread_records", "sequences"));
    return round == 20;
  };
  Make().RunContinuously(1);
  EXPECT_EQ(most, 600) << "two thousand are read at a time";
  EXPECT_EQ(value("unread_records", "sequences"), 0);
  EXPECT_EQ(value("unread_records", "forecasts"), 0);
  EXPECT_GT(value("read_timestamp_seconds", "forecasts"), value("read_timestamp_seconds", "sequences"));
}

TEST_F(TrainerServiceTest, TheManifestTellsWhatWasLearnedFromWhat) {
  Feed("demo/a", 100);
  Feed("demo/b", 100);
  const model_store::Manifest manifest =
      Make({.dataset = {.horizons = {1, 3}}, .seed = 7}).RunOnce(1).value();
  EXPECT_EQ(manifest.schema_hash, feature::Schema::Default().hash());
  EXPECT_THAT(manifest.features, SizeIs(feature::kFeatureCount));
  EXPECT_EQ(manifest.target, "packets");
  EXPECT_EQ(manifest.window_length, base::Duration(5s));
  EXPECT_EQ(manifest.sequence_length, 3);
  EXPECT_EQ(manifest.trained_from, At(15));
  EXPECT_EQ(manifest.trained_until, At(500));
  EXPECT_EQ(manifest.training_examples, learner_.training_count);
  EXPECT_EQ(manifest.validation_examples, learner_.validation_count);
  EXPECT_EQ(manifest.metrics.count, learner_.validation_count);
  EXPECT_EQ(manifest.hidden, 32);
  EXPECT_EQ(manifest.horizon_windows, 1);
  EXPECT_THAT(manifest.horizons, ElementsAre(1, 3));
  EXPECT_THAT(learner_.shape.horizons, ElementsAre(1, 3));
  EXPECT_EQ(manifest.seed, 7u);
  ASSERT_THAT(manifest.forecasters, SizeIs(1));
  const model_store::ForecasterRecord& record = manifest.forecasters.front();
  EXPECT_EQ(record.name, "lstm");
  EXPECT_EQ(record.parameters, 42);
  EXPECT_EQ(record.best_epoch, 1);
  EXPECT_THAT(record.history, SizeIs(3));
  EXPECT_THAT(record.metrics, ElementsAre(Pair(1, testing::_), Pair(3, testing::_)));
  EXPECT_EQ(record.metrics.at(1).mae, manifest.metrics.mae);
  EXPECT_EQ(manifest.decision.trained_for, "once");
  EXPECT_EQ(manifest.decision.against, "");
  EXPECT_EQ(manifest.percentiles.count("demo/a"), 1u);
  EXPECT_EQ(manifest.percentiles.count(""), 1u);
  EXPECT_EQ(learner_.shape.length, 3);
  EXPECT_EQ(learner_.shape.features, feature::kFeatureCount);
  EXPECT_THAT(learner_.shape.targets, ElementsAre(feature::kPackets));
  EXPECT_GT(manifest.metrics.mae, 0);
  EXPECT_GT(manifest.metrics.mae_persistence, 0);
}

TEST_F(TrainerServiceTest, TooLittleIsAnErrorAndNothingIsPublished) {
  Feed("demo/a", 12);
  try {
    Make().RunOnce(1);
    FAIL() << "trained on next to nothing";
  } catch (const base::RuntimeError& error) {
    EXPECT_THAT(error.what(), HasSubstr("too little to learn from"));
  }
  EXPECT_THAT(bus_.Records(names_.models), IsEmpty());
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(TrainerServiceTest, AStoppedTrainingPublishesNothingAndTheNextOneGoesOn) {
  Feed("demo/a", 100);
  stop = [this] { return learner_.runs > 0; };
  EXPECT_EQ(Make().RunOnce(1), std::nullopt);
  EXPECT_THAT(bus_.Records(names_.models), IsEmpty());
  EXPECT_FALSE(folder().Checkpoint("default").empty());
  const std::size_t learned_from = learner_.training_count;
  stop = [] { return false; };
  Feed("demo/a", 20, 98);  // what came since is for the training after
  EXPECT_TRUE(Make().RunOnce(1));
  EXPECT_TRUE(lines_.Contain("went on from the checkpoint after epoch 1"));
  EXPECT_EQ(learner_.training_count, learned_from);
  EXPECT_TRUE(folder().Checkpoint("default").empty()) << "the model is there";
  clock_.Advance(1s);
  EXPECT_TRUE(Make().RunOnce(1));
  EXPECT_GT(learner_.training_count, learned_from);
}

TEST_F(TrainerServiceTest, ACheckpointThatIsDamagedOrTooOldIsNotGoneOnFrom) {
  Feed("demo/a", 100);
  for (const char* const bytes :
       {"garbage", "12", "\n2", "1000000000\n2", "99999999999999999999\n2", "1000000000 lstm",
        "1000000000 \n2", "1000000000 xgboost\n2", "99 lstm\n2"}) {
    folder().KeepCheckpoint("default", bytes);
    clock_.Advance(1s);
    EXPECT_TRUE(Make().RunOnce(1));
    EXPECT_FALSE(lines_.Contain("went on from")) << bytes;
  }
}

TEST_F(TrainerServiceTest, KafkaThatDoesNotTakeTheModelIsAnError) {
  Feed("demo/a", 100);
  TrainerService trainer = Make();
  bus_.MakeAdmin()->DeleteTopic(names_.models);
  EXPECT_THROW(trainer.RunOnce(1), bus::BusError);
}

TEST_F(TrainerServiceTest, GoesOnAndTrainsAgainWhenItIsTimeAndSomethingNewCame) {
  int rounds = 0;
  std::vector<int> runs;
  // Each round of the loop asks once whether to stop; an epoch asks too and gets the same clock.
  stop = [&] {
    clock_.Advance(1s);
    ++rounds;
    if (rounds == 5) Feed("demo/a", 100);
    if (rounds == 100) runs.push_back(learner_.runs);
    if (rounds == 4000) runs.push_back(learner_.runs);
    if (rounds == 4001) Feed("demo/a", 20, 98);
    if (rounds == 4100) runs.push_back(learner_.runs);
    return rounds >= 4100;
  };
  Make({.retrain = {.every = 1h}}).RunContinuously(1);
  EXPECT_THAT(runs, ElementsAre(1, 1, 2)) << "enough at last; nothing new after an hour; something new";
}

TEST_F(TrainerServiceTest, WaitsForMoreWhileThereIsTooLittle) {
  Feed("demo/a", 12);
  int rounds = 0;
  stop = [&] {
    clock_.Advance(1s);
    if (++rounds == 50) Feed("demo/a", 100, 20);
    return rounds >= 100;
  };
  Make().RunContinuously(1);
  EXPECT_EQ(learner_.runs, 1);
  EXPECT_TRUE(lines_.Contain("too little to learn from"));
}

TEST_F(TrainerServiceTest, AModelHasAllForecastersWithTheirOwnScoresAndHistory) {
  with_trees_ = true;
  trees_.weights = "0.5";
  Feed("demo/a", 100);
  const model_store::Manifest manifest = Make({.dataset = {.horizons = {1, 2}}}).RunOnce(1).value();
  const auto model = model_topic::ReadCurrent(bus_, names_, "default");
  EXPECT_THAT(model.networks, ElementsAre(Pair("lstm", "0"), Pair("xgboost", "0.5")));
  ASSERT_THAT(manifest.forecasters, SizeIs(2));
  EXPECT_EQ(manifest.forecasters[0].name, "lstm");
  EXPECT_EQ(manifest.forecasters[1].name, "xgboost");
  for (const auto& record : manifest.forecasters) {
    EXPECT_THAT(record.history, SizeIs(3));
    EXPECT_THAT(record.metrics, SizeIs(2));
    EXPECT_EQ(record.metrics.at(1).count, manifest.metrics.count);
  }
  EXPECT_NE(manifest.forecasters[0].metrics.at(1).mae, manifest.forecasters[1].metrics.at(1).mae);
  EXPECT_EQ(progress_.epochs, 6u);
  EXPECT_EQ(learner_.training_count, trees_.training_count) << "the same examples";
}

TEST_F(TrainerServiceTest, AStopGoesOnWithTheForecasterThatItCameIn) {
  with_trees_ = true;
  Feed("demo/a", 100);
  stop = [this] { return learner_.runs > 0; };
  EXPECT_EQ(Make().RunOnce(1), std::nullopt);
  stop = [] { return false; };
  EXPECT_TRUE(Make().RunOnce(1));
  EXPECT_EQ(trees_.runs, 2) << "they are grown anew, and come out the same";
  EXPECT_TRUE(lines_.Contain("lstm went on from the checkpoint after epoch 1"));
  EXPECT_FALSE(lines_.Contain("xgboost went on"));
}

TEST_F(TrainerServiceTest, ANewModelReplacesTheOldOneOnlyWhenItIsBetterOnTheNewestData) {
  Feed("demo/a", 400);
  const auto first = TrainOnce("3");
  EXPECT_TRUE(first.decision.replaced);
  const auto worse = TrainOnce("8");
  EXPECT_FALSE(worse.decision.replaced);
  EXPECT_GT(worse.decision.error, worse.decision.error_before);
  EXPECT_EQ(worse.decision.against, first.version);
  EXPECT_GT(worse.decision.examples, 0u);
  EXPECT_TRUE(worse.decision.seen_before) << "nothing came since";
  EXPECT_THAT(worse.decision.reason, HasSubstr("had learned from"));
  EXPECT_EQ(Current(), first.version);
  EXPECT_THAT(Versions(), ElementsAre(first.version, worse.version)) << "it is there all the same";
  EXPECT_EQ(folder().LoadCurrent("default").manifest.version, first.version);
  EXPECT_EQ(folder().Load("default", worse.version).manifest.decision.reason, worse.decision.reason);
  EXPECT_TRUE(lines_.Contain("it is not used, " + first.version + " stays"));
  const auto same = TrainOnce("3");
  EXPECT_FALSE(same.decision.replaced) << "ties keep the old one";
  const auto better = TrainOnce("0.1");
  EXPECT_TRUE(better.decision.replaced);
  EXPECT_LT(better.decision.error, better.decision.error_before);
  EXPECT_EQ(Current(), better.version);
  EXPECT_EQ(progress_.published, 1u) << "of this trainer";
}

TEST_F(TrainerServiceTest, TheOldModelIsAskedOnWhatItHasNotSeenWhenThereIsEnough) {
  Feed("demo/a", 400);
  const auto first = TrainOnce("3");
  Feed("demo/a", 400, 400);
  const auto second = TrainOnce("0.1");
  EXPECT_FALSE(second.decision.seen_before);
  EXPECT_GE(second.decision.from, first.trained_until);
  EXPECT_EQ(second.decision.until, second.trained_until);
  Feed("demo/a", 20, 800);
  const auto third = TrainOnce("0.1");
  EXPECT_TRUE(third.decision.seen_before) << "20 windows are too few";
  EXPECT_LT(third.decision.from, second.trained_until);
}

TEST_F(TrainerServiceTest, AModelThatCannotBeComparedIsReplaced) {
  Feed("demo/a", 400);
  TrainOnce("0.1");
  const auto other = TrainOnce("8", {.dataset = {.horizons = {1, 2}}});
  EXPECT_TRUE(other.decision.replaced);
  EXPECT_THAT(other.decision.reason, HasSubstr("other horizons"));
  auto damaged = folder().LoadCurrent("default");
  damaged.networks["lstm"] = "garbage";
  support::Send(bus_, names_.models, wire::Encode(damaged), wire::ModelKey("default", other.version));
  const auto after = TrainOnce("8", {.dataset = {.horizons = {1, 2}}});
  EXPECT_TRUE(after.decision.replaced);
  EXPECT_THAT(after.decision.reason, HasSubstr("cannot be asked: the weights are damaged"));
  auto hostile = folder().LoadCurrent("default");
  hostile.networks["lstm"] = "0.1 3";
  support::Send(bus_, names_.models, wire::Encode(hostile), wire::ModelKey("default", after.version));
  const auto last = TrainOnce("8", {.dataset = {.horizons = {1, 2}}});
  EXPECT_TRUE(last.decision.replaced);
  EXPECT_THAT(last.decision.reason, HasSubstr("its network wants 3 columns of what is known"));
}

TEST_F(TrainerServiceTest, TheFoldersCurrentFollowsWhoeverPointsAtAVersion) {
  Feed("demo/a", 400);
  const auto first = TrainOnce("3").version;
  const auto second = TrainOnce("0.1").version;
  const auto point_at = [&](const std::string& version) {
    support::Send(bus_, names_.models, wire::EncodeCurrentModel(version), wire::CurrentModelKey("default"));
  };
  const auto in_folder = [&] {
    return model_store::ModelFolder(root_).LoadCurrent("default").manifest.version;
  };
  EXPECT_EQ(in_folder(), second);
  point_at(first);
  learner_.weights = "8";  // which loses
  int rounds = 0;
  std::vector<std::string> seen;
  stop = [&] {
    clock_.Advance(1s);
    ++rounds;
    if (rounds % 50 == 0) seen.push_back(in_folder());
    if (rounds == 51) point_at(second);
    if (rounds == 101) point_at("another trainer's");
    return rounds >= 150;
  };
  Make({.retrain = {.every = 10h}}).RunContinuously(1);
  EXPECT_THAT(seen, ElementsAre(first, second, second));
  EXPECT_TRUE(lines_.Contain("model another trainer's is in use and not in the folder"));
}

TEST_F(TrainerServiceTest, SequencesOfAnotherLengthThanAskedForAreLeftOut) {
  Feed("demo/a", 100);
  EXPECT_THROW(Make({.sequence_length = 10}).RunOnce(1), base::RuntimeError);
  EXPECT_EQ(progress_.left_out, 98u);
  EXPECT_TRUE(lines_.Contain("start flowcast-features with --sequence-length 10"));
  EXPECT_TRUE(Make({.sequence_length = 3}).RunOnce(1));
}

TEST_F(TrainerServiceTest, OldVersionsGoAndTheOneInUseStays) {
  Feed("demo/a", 400);
  const auto best = TrainOnce("0.1");
  std::string newest;
  for (int i = 0; i < 4; ++i) newest = TrainOnce("8", {.keep_models = 3}).version;
  EXPECT_THAT(Versions(), SizeIs(3));
  EXPECT_EQ(Versions().count(best.version), 1u);
  EXPECT_EQ(Versions().count(newest), 1u);
  EXPECT_EQ(Current(), best.version);
  EXPECT_EQ(progress_.deleted, 1u);
}

TEST_F(TrainerServiceTest, TrainsWhenEnoughIsNewBeforeItsTime) {
  int rounds = 0;
  std::vector<int> runs;
  Feed("demo/a", 100);
  stop = [&] {
    clock_.Advance(1s);
    ++rounds;
    if (rounds == 50) Feed("demo/a", 40, 98);
    if (rounds == 100) runs.push_back(learner_.runs);
    if (rounds == 101) Feed("demo/a", 20, 138);
    if (rounds == 150) runs.push_back(learner_.runs);
    return rounds >= 150;
  };
  Make({.retrain = {.every = 1h, .after_sequences = 50}}).RunContinuously(1);
  EXPECT_THAT(runs, ElementsAre(1, 2));
}

}  // namespace
}  // namespace flowcast::services
