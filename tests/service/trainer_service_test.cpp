// The trainer over the in-memory bus with a learner that learns nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/window_wire.h"
#include "services/trainer/trainer_metrics.h"
#include "services/trainer/trainer_service.h"
#include "tests/support/fake_network.h"
#include "tests/support/metrics.h"
#include "tests/support/sequences.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

namespace fs = std::filesystem;

class TrainerServiceTest : public testing::Test {
 protected:
  TrainerServiceTest() {
    support::CreateTopics(bus_, names_);
    std::string place = (fs::temp_directory_path() / "flowcast-trainer-XXXXXX").string();
    if (::mkdtemp(place.data()) == nullptr) throw std::runtime_error("no temporary folder");
    root_ = place;
  }
  ~TrainerServiceTest() override { fs::remove_all(root_); }

  /// Sequences of 3 windows, from window number `first` on.
  void Feed(const std::string& link, int windows, int first = 0) {
    std::vector<double> counts;
    for (int i = 0; i < windows; ++i) counts.push_back(10 + (i * 7) % 30);
    for (const auto& sequence : support::MakeSequences(link, counts, 3, first)) {
      support::Send(bus_, names_.sequences, wire::Encode(sequence), link);
    }
  }
  TrainerService Make(TrainerOptions options = {}) {
    options.network = {.layers = 2, .hidden = 32, .dropout = 0.1};
    return TrainerService(
        {*consumer_, *producer_, learner_, support::LoadFake(), folder(), clock_, lines_.log(),
         [this] { return stop(); }, [this](const TrainerProgress& progress) { progress_ = progress; }},
        options, names_);
  }
  const model_store::ModelFolder& folder() {
    folder_ = std::make_unique<model_store::ModelFolder>(root_);
    return *folder_;
  }

  base::ManualClock clock_{At(1e6)};
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  support::FakeLearner learner_;
  TrainerProgress progress_;  // as it was told last
  support::Lines lines_;
  fs::path root_;
  std::unique_ptr<model_store::ModelFolder> folder_;
  std::unique_ptr<bus::Consumer> consumer_ = bus_.MakeConsumer({});
  std::unique_ptr<bus::Producer> producer_ = bus_.MakeProducer({});
  std::function<bool()> stop = [] { return false; };
};

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
  EXPECT_EQ(model->networks.at("lstm"), "0");
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
  EXPECT_EQ(value("trainings_total", "published"), 1);
  EXPECT_EQ(value("model_info", manifest.version), 1);
  EXPECT_EQ(value("model_trained_until_timestamp_seconds"), base::ToUnixSeconds(manifest.trained_until));
  EXPECT_EQ(value("model_absolute_error", "model"), manifest.metrics.mae);
  EXPECT_EQ(value("epochs_total"), static_cast<double>(manifest.history.size()));
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
  EXPECT_EQ(manifest.parameters, 42);
  EXPECT_EQ(manifest.hidden, 32);
  EXPECT_EQ(manifest.horizon_windows, 1);
  EXPECT_THAT(manifest.horizons, ElementsAre(1, 3));
  EXPECT_THAT(learner_.shape.horizons, ElementsAre(1, 3));
  EXPECT_EQ(manifest.seed, 7u);
  EXPECT_EQ(manifest.best_epoch, 1);
  EXPECT_THAT(manifest.history, SizeIs(3));
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
  for (const char* const bytes : {"garbage", "12", "\n2", "1000000000\n2", "99999999999999999999\n2"}) {
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
  Make({.every = 1h}).RunContinuously(1);
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

}  // namespace
}  // namespace flowcast::services
