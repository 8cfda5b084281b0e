// The inference task: which models it uses, and when.
#include <gmock/gmock.h>

#include "tests/service/inference_fixture.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(InferenceServiceTest, ANewModelTakesOverWhileItRuns) {
  Publish(FittingManifest("v1"), "0");
  Feed({10, 20, 30});
  Publish(FittingManifest("v2"), "1");
  Feed({40});
  EXPECT_EQ(Forecasts().at(0).forecast.model_version, "v1");
  EXPECT_EQ(Forecasts().at(1).forecast.model_version, "v2");
  PointAt("v1");
  EXPECT_EQ(VersionInUse(), "v1") << "and back again";
}

TEST_F(InferenceServiceTest, AModelThatDoesNotFitIsRefusedAndTheOneBeforeStays) {
  Publish(FittingManifest("v1"), "0");
  auto schema = FittingManifest("v2"), target = FittingManifest("v3"), horizon = FittingManifest("v4"),
       shape = FittingManifest("v5");
  schema.schema_hash ^= 1;
  target.target = "bytes";
  horizon.horizons = {2, 3};
  shape.sequence_length = 4;
  Publish(schema, "0");
  Publish(target, "0");
  Publish(horizon, "0");
  Publish(shape, "0");
  Publish(FittingManifest("v6"), "nan");
  Publish(FittingManifest("v7"), "damaged");
  network_horizon_ = 2;
  Publish(FittingManifest("v8"), "0");
  network_horizon_ = 1;
  Publish(FittingManifest("v8b"), "0 3");
  EXPECT_EQ(watcher_.refused(), 8u);
  EXPECT_EQ(VersionInUse(), "v1");
  EXPECT_TRUE(
      lines_.Contain("model v2 is refused: it was trained on another feature schema; train it again, with "
                     "the same --features and --normalization; v1 stays"));
  EXPECT_TRUE(lines_.Contain("model v3 is refused: it forecasts bytes, not packets (--target)"));
  EXPECT_TRUE(lines_.Contain("model v4 is refused: it forecasts 2, 3 windows ahead, not 1 (--horizons)"));
  EXPECT_TRUE(lines_.Contain("model v5 is refused: its network has another shape"));
  EXPECT_TRUE(lines_.Contain("model v6 is refused: its answer in a trial run is not finite"));
  EXPECT_TRUE(lines_.Contain("model v7 is refused: the weights are damaged"));
  EXPECT_TRUE(lines_.Contain("model v8 is refused: its network has no answer for what its manifest says"));
  EXPECT_TRUE(
      lines_.Contain("model v8b is refused: its network wants 3 columns of what is known of the "
                     "windows to come; there are none, or 2 for its targets and horizons"));
  Feed({10, 20, 30, 40});
  EXPECT_EQ(Forecasts().back().forecast.model_version, "v1");
  Publish(FittingManifest("v9"), "0");
  EXPECT_EQ(VersionInUse(), "v9");
}

TEST_F(InferenceServiceTest, GarbageAmongTheModelsIsRefusedAndOthersAreNoneOfOurBusiness) {
  support::Send(bus_, names_.models, "garbage", "default/v1");
  support::Send(bus_, names_.models, "garbage", "default/current");
  support::Send(bus_, names_.models, "garbage", "other/v1");
  reader_.Poll();
  EXPECT_EQ(watcher_.refused(), 2u);
  EXPECT_EQ(VersionInUse(), "none");
}

TEST_F(InferenceServiceTest, APointerMayComeBeforeItsModel) {
  PointAt("v1");
  EXPECT_EQ(VersionInUse(), "none");
  Publish(FittingManifest("v1"), "0");
  EXPECT_EQ(VersionInUse(), "v1");
}

TEST_F(InferenceServiceTest, AnyVersionThatIsOnTheTopicCanBePointedAtHoweverManyCameSince) {
  for (int i = 0; i < 30; ++i)
    Publish(FittingManifest(std::string("v").append(std::to_string(100 + i))), "0");
  PointAt("v100");
  EXPECT_EQ(VersionInUse(), "v100");
  EXPECT_NE(watcher_.Find("v115"), nullptr);
  support::SendTombstone(bus_, names_.models, wire::ModelKey("default", "v101"));
  PointAt("v101");
  EXPECT_EQ(VersionInUse(), "v100");
  EXPECT_TRUE(lines_.Contain("model v101 is refused: it is not on the topic; v100 stays in use"));
  EXPECT_EQ(watcher_.Find("v101"), nullptr);
}

TEST_F(InferenceServiceTest, AModelOfAnotherWindowLengthIsNotAsked) {
  auto manifest = FittingManifest("v1");
  manifest.window_length = 1s;
  Publish(manifest, "0");
  Feed({10, 20, 30});
  EXPECT_EQ(Forecasts().at(0).forecast.model_version, "");
}

}  // namespace
}  // namespace flowcast::services
