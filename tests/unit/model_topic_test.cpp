// What is on models.v1, and changing it, over the in-memory bus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/model_topic/model_topic.h"
#include "libs/wire/model_wire.h"
#include "tests/support/messages.h"
#include "tests/support/services.h"

namespace flowcast::model_topic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ModelTopicTest : public testing::Test {
 protected:
  ModelTopicTest() { support::CreateTopics(bus_, names_); }
  void Publish(const std::string& version, bool use = true, const std::string& name = "default") {
    model_store::Model model{support::AnyManifest(random_), {{"lstm", "weights of " + version}}};
    model.manifest.name = name;
    model.manifest.version = version;
    model.manifest.decision.replaced = use;
    publisher_.Publish(model);
    if (use) publisher_.PointAt(name, version);
  }
  Listing ListDefault() { return List(bus_, names_, "default"); }
  std::string ErrorOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const base::RuntimeError& error) {
      return error.what();
    }
    return "none";
  }

  base::Random random_{1};
  base::ManualClock clock_{support::AnyTime(random_)};
  bus::MemoryBus bus_{clock_};
  topics::Names names_;
  std::unique_ptr<bus::Producer> producer_ = bus_.MakeProducer({});
  Publisher publisher_{*producer_, names_};
};

TEST_F(ModelTopicTest, ListsVersionsAndTheOneInUse) {
  EXPECT_EQ(ListDefault().current, "");
  Publish("v1");
  Publish("v3", false);
  Publish("v2");
  Publish("w9", true, "other");
  support::Send(bus_, names_.models, "garbage", "default/v4");
  const Listing listing = ListDefault();
  EXPECT_EQ(listing.current, "v2");
  EXPECT_EQ(listing.unreadable, 1u);
  std::vector<std::string> versions;
  for (const auto& [version, entry] : listing.versions) versions.push_back(version);
  EXPECT_THAT(versions, ElementsAre("v1", "v2", "v3"));
}

TEST_F(ModelTopicTest, ReadsTheWeightsOfOneVersion) {
  Publish("v1");
  Publish("v2");
  EXPECT_EQ(Read(bus_, names_, "default", "v1").networks.at("lstm"), "weights of v1");
  EXPECT_EQ(ReadCurrent(bus_, names_, "default").networks.at("lstm"), "weights of v2");
  EXPECT_THAT(ErrorOf([&] { Read(bus_, names_, "default", "v7"); }), HasSubstr("there are: v1, v2"));
  EXPECT_THAT(ErrorOf([&] { ReadCurrent(bus_, names_, "nobody"); }),
              HasSubstr("flowcast-trainer publishes one"));
  EXPECT_EQ(FindCurrent(bus_, names_, "nobody"), std::nullopt);
}

TEST_F(ModelTopicTest, TheVersionBeforeIsOneThatWasInUse) {
  EXPECT_THAT(ErrorOf([&] { VersionBefore(ListDefault()); }), HasSubstr("no version before none"));
  Publish("v1");
  EXPECT_THAT(ErrorOf([&] { VersionBefore(ListDefault()); }), HasSubstr("name one of: v1"));
  Publish("v2", false);
  Publish("v3");
  EXPECT_EQ(VersionBefore(ListDefault()), "v1");
}

TEST_F(ModelTopicTest, WhatIsDeletedIsGoneAndTheOneInUseIsNeverSurplus) {
  for (const char* version : {"v1", "v2", "v3", "v4", "v5"}) Publish(version);
  publisher_.PointAt("default", "v1");
  EXPECT_THAT(Surplus(ListDefault(), 5), IsEmpty());
  EXPECT_THAT(Surplus(ListDefault(), 3), ElementsAre("v3", "v2"));
  publisher_.Delete("default", Surplus(ListDefault(), 3));
  const Listing listing = ListDefault();
  EXPECT_EQ(listing.versions.size(), 3u);
  EXPECT_EQ(listing.versions.count("v2"), 0u);
  EXPECT_EQ(listing.current, "v1");
  EXPECT_TRUE(bus_.Records(names_.models).back().tombstone);
}

TEST_F(ModelTopicTest, AVersionInUseThatIsGoneIsNoModel) {
  Publish("v1");
  publisher_.Delete("default", {"v1"});
  EXPECT_EQ(FindCurrent(bus_, names_, "default"), std::nullopt);
}

}  // namespace
}  // namespace flowcast::model_topic
