// Manifests as JSON and models on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "libs/base/error.h"
#include "libs/model_store/model_folder.h"
#include "libs/model_store/plain_name.h"
#include "tests/support/messages.h"

namespace flowcast::model_store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

template <typename Call>
std::string ErrorOf(const Call& call) {
  try {
    call();
  } catch (const base::RuntimeError& error) {
    return error.what();
  }
  return "none";
}

TEST(ManifestTest, ComesBackAsItWas) {
  base::Random random(1);
  for (int i = 0; i < 50; ++i) {
    const Manifest manifest = support::AnyManifest(random);
    const Manifest back = FromJson(ToJson(manifest));
    EXPECT_EQ(ToJson(back), ToJson(manifest));
    EXPECT_EQ(back.version, manifest.version);
    EXPECT_EQ(back.schema_hash, manifest.schema_hash);
    EXPECT_EQ(back.trained_until, manifest.trained_until);
    EXPECT_EQ(back.window_length, manifest.window_length);
    EXPECT_EQ(back.dropout, manifest.dropout);
    EXPECT_EQ(back.horizons, manifest.horizons);
    EXPECT_EQ(back.metrics.skill, manifest.metrics.skill);
    EXPECT_EQ(back.metrics.r2, std::nullopt);
    EXPECT_EQ(back.percentiles, manifest.percentiles);
    EXPECT_THAT(back.targets(), testing::ElementsAre("packets", "jitter"));
    EXPECT_EQ(back.percentiles_of("packets"), &back.percentiles);
    EXPECT_EQ(*back.percentiles_of("jitter"), manifest.further[0].percentiles);
    EXPECT_EQ(back.percentiles_of("bytes"), nullptr);
    EXPECT_EQ(back.further[0].forecasters.at("lstm").at(1).mae,
              manifest.further[0].forecasters.at("lstm").at(1).mae);
    EXPECT_EQ(back.decision.by_target.at("packets").error_before,
              manifest.decision.by_target.at("packets").error_before);
    ASSERT_NE(back.forecaster("lstm"), nullptr);
    EXPECT_EQ(back.forecaster("lstm")->history.size(), 2u);
    EXPECT_EQ(back.forecaster("lstm")->metrics.at(1).mae, manifest.forecaster("lstm")->metrics.at(1).mae);
    EXPECT_EQ(back.forecaster("nobody"), nullptr);
    EXPECT_EQ(back.decision.reason, manifest.decision.reason);
    EXPECT_EQ(back.decision.until, manifest.decision.until);
    EXPECT_EQ(back.decision.error_before, manifest.decision.error_before);
  }
}

TEST(ManifestTest, OneOfAVersionThatKnewOneTargetOnlyIsRead) {
  base::Random random(1);
  auto json = nlohmann::json::parse(ToJson(support::AnyManifest(random)));
  for (const char* const field : {"targets", "further_targets"}) json.erase(field);
  json["decision"].erase("by_target");
  const Manifest manifest = FromJson(json.dump());
  EXPECT_THAT(manifest.targets(), testing::ElementsAre("packets"));
  EXPECT_TRUE(manifest.decision.by_target.empty());
}

TEST(ManifestTest, WhatIsMissingOrWrongIsNamed) {
  base::Random random(1);
  std::string text = ToJson(support::AnyManifest(random));
  EXPECT_THAT(ErrorOf([] { FromJson("{"); }), HasSubstr("manifest cannot be read"));
  EXPECT_THAT(ErrorOf([] { FromJson("{}"); }), HasSubstr("name"));
  EXPECT_THAT(ErrorOf([] { FromJson("[]"); }), HasSubstr("manifest cannot be read"));
  text.replace(text.find("\"trained_until_ns\""), 18, "\"trained_until_xx\"");
  EXPECT_THAT(ErrorOf([&] { FromJson(text); }), HasSubstr("trained_until_ns"));
}

class ModelFolderTest : public testing::Test {
 protected:
  ModelFolderTest() { fs::create_directories(root_); }
  ~ModelFolderTest() override { fs::remove_all(root_); }
  Model MakeModel(const std::string& version) {
    Model model{support::AnyManifest(random_),
                {{"lstm", std::string("weights of \0", 12) + version}, {"xgboost", version}}};
    model.manifest.version = version;
    return model;
  }
  static fs::path FreshPlace() {
    std::string place = (fs::temp_directory_path() / "flowcast-model-store-XXXXXX").string();
    if (::mkdtemp(place.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return place;
  }

  base::Random random_{1};
  fs::path root_ = FreshPlace();
  ModelFolder folder_{root_};
};

TEST_F(ModelFolderTest, ACheckpointIsTheLastOneKeptUntilItIsDropped) {
  const ModelFolder folder(root_);
  EXPECT_EQ(folder.Checkpoint("default"), "");
  folder.DropCheckpoint("default");
  const std::string bytes("a\0b", 3);
  folder.KeepCheckpoint("default", "before");
  folder.KeepCheckpoint("default", bytes);
  EXPECT_EQ(folder.Checkpoint("default"), bytes);
  EXPECT_EQ(folder.Checkpoint("other"), "");
  folder.DropCheckpoint("default");
  EXPECT_EQ(folder.Checkpoint("default"), "");
  std::ofstream(root_ / "taken") << "a file";
  EXPECT_THAT(ErrorOf([&] { ModelFolder(root_ / "taken").KeepCheckpoint("default", "x"); }),
              HasSubstr("--model-dir"));
}

TEST_F(ModelFolderTest, NamesThatWouldBePathsAreRefusedWhereverTheyStand) {
  fs::create_directories(root_ / "models");
  const ModelFolder folder(root_ / "models");
  for (const std::string name :
       {"", ".", "..", "../escaped", "/tmp/escaped", "a/b", ".hidden", "a\nb", "\x1b[2J", "\xff"}) {
    EXPECT_FALSE(IsPlainName(name)) << name;
    const auto refused = [&](const std::function<void()>& action) {
      EXPECT_THAT(ErrorOf(action), HasSubstr("can't be the name of a model, a version or a network")) << name;
    };
    Model by_name = MakeModel("v1"), by_network = MakeModel("v1");
    by_name.manifest.name = name;
    by_network.networks = {{name, "x"}};
    refused([&] { folder.Save(by_name); });
    refused([&] { folder.Save(MakeModel(name)); });
    refused([&] { folder.Save(by_network); });
    refused([&] { folder.PointAt("default", name); });
    refused([&] { folder.PointAt(name, "v1"); });
    refused([&] { folder.Load(name, "v1"); });
    refused([&] { folder.KeepCheckpoint(name, "x"); });
  }
  EXPECT_TRUE(IsPlainName("20261121T100046.357-a373edde"));
  EXPECT_TRUE(IsPlainName("Zürich uplinks"));
  EXPECT_FALSE(IsPlainName(std::string(129, 'x')));
  EXPECT_FALSE(fs::exists(root_ / "escaped"));
}

TEST_F(ModelFolderTest, WhatIsSavedIsLoadedAndCurrentIsWhatItIsPointedAt) {
  const Model first = MakeModel("v1"), second = MakeModel("v2");
  EXPECT_EQ(folder_.Save(first), root_ / "default" / "v1");
  folder_.PointAt("default", "v1");
  folder_.Save(second);
  EXPECT_EQ(folder_.LoadCurrent("default").networks, first.networks);
  folder_.PointAt("default", "v2");
  EXPECT_EQ(folder_.Load("default", "v1").networks, first.networks);
  EXPECT_EQ(ToJson(folder_.Load("default", "v1").manifest), ToJson(first.manifest));
  EXPECT_EQ(folder_.LoadCurrent("default").networks, second.networks);
  EXPECT_EQ(fs::read_symlink(root_ / "default" / "current"), "v2");
}

TEST_F(ModelFolderTest, NothingButVersionsAndCurrentIsLeftBehind) {
  folder_.Save(MakeModel("v1"));
  folder_.Save(MakeModel("v2"));
  folder_.Save(MakeModel("v2"));  // is there already
  folder_.PointAt("default", "v2");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(root_ / "default"))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::UnorderedElementsAre("v1", "v2", "current"));
  std::ifstream csv(root_ / "default" / "v1" / "history.csv");
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line, "forecaster,epoch,training_loss,validation_loss,seconds");
  std::getline(csv, line);
  EXPECT_EQ(line.substr(0, 7), "lstm,0,");
}

TEST_F(ModelFolderTest, WhatACrashLeftBehindIsNoObstacle) {
  fs::create_directories(root_ / "default" / ".v1.tmp" / "rest");
  fs::create_symlink("gone", root_ / "default" / ".current.tmp");
  folder_.Save(MakeModel("v1"));
  folder_.PointAt("default", "v1");
  EXPECT_EQ(folder_.LoadCurrent("default").manifest.version, "v1");
}

TEST_F(ModelFolderTest, AFolderThatCannotBeWrittenIsNamedWithTheRemedy) {
  std::ofstream(root_ / "file") << "in the way";
  const ModelFolder folder(root_ / "file");
  EXPECT_THAT(ErrorOf([&] { folder.Save(MakeModel("v1")); }), HasSubstr("--model-dir"));
}

TEST_F(ModelFolderTest, AnAbsentOrDamagedModelIsAnError) {
  EXPECT_THAT(ErrorOf([&] { folder_.LoadCurrent("default"); }), HasSubstr("train a model first"));
  folder_.Save(MakeModel("v1"));
  folder_.PointAt("default", "v1");
  std::ofstream(root_ / "default" / "v1" / "manifest.json") << "{";
  EXPECT_THAT(ErrorOf([&] { folder_.LoadCurrent("default"); }), HasSubstr("manifest cannot be read"));
}

}  // namespace
}  // namespace flowcast::model_store
