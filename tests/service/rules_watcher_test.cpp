// Rules that change under the running service: new ones are taken, wrong ones are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "libs/base/error.h"
#include "services/inference/rules_watcher.h"
#include "tests/support/services.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;

class RulesWatcherTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "rules-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    path_ = folder + "/rules";
    Write("100");
  }
  /// The file has one number, the threshold.
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  alert::RuleSet Read() const {
    std::string text;
    std::ifstream(path_) >> text;
    return alert::BuiltInRules({.threshold = alert::Threshold::Parse(text)});
  }
  RulesWatcher Begin() {
    return RulesWatcher({path_, [this] { return Read(); }}, clock_, lines_.log());
  }
  static double ThresholdOf(const RulesWatcher& watcher) {
    return watcher.current()->rules().at(0).threshold.value;
  }

  std::string path_;
  base::ManualClock clock_;
  support::Lines lines_;
};

TEST_F(RulesWatcherTest, AFileThatChangesIsReadAgainAboutASecondLater) {
  RulesWatcher watcher = Begin();
  EXPECT_EQ(ThresholdOf(watcher), 100);
  Write("1500");
  EXPECT_EQ(watcher.Poll(), nullptr) << "it was looked at just now";
  clock_.Advance(1s);
  const auto rules = watcher.Poll();
  ASSERT_NE(rules, nullptr);
  EXPECT_EQ(rules, watcher.current());
  EXPECT_EQ(ThresholdOf(watcher), 1500);
  EXPECT_EQ(watcher.counters().taken, 1u);
  clock_.Advance(1s);
  EXPECT_EQ(watcher.Poll(), nullptr) << "nothing is new";
}

TEST_F(RulesWatcherTest, AFileWithAnErrorOrWithoutReadersLeavesTheRulesAsTheyAre) {
  RulesWatcher watcher = Begin();
  Write("nonsense");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(1s);
    EXPECT_EQ(watcher.Poll(), nullptr);
  }
  EXPECT_EQ(watcher.counters().refused, 1u) << "it is told once";
  EXPECT_TRUE(lines_.Contain("the changed file is refused: 'nonsense' is no threshold"));
  EXPECT_EQ(ThresholdOf(watcher), 100);
  std::filesystem::remove(path_);
  clock_.Advance(1s);
  EXPECT_EQ(watcher.Poll(), nullptr);
  EXPECT_EQ(watcher.counters().refused, 2u);
  Write("70");
  clock_.Advance(1s);
  EXPECT_NE(watcher.Poll(), nullptr);
  EXPECT_EQ(ThresholdOf(watcher), 70);
}

TEST_F(RulesWatcherTest, AFileIsReadAtOnceWhenThatIsAskedFor) {
  RulesWatcher watcher = Begin();
  const auto before = watcher.current();
  EXPECT_NE(watcher.Poll(true), nullptr) << "also when it looks the same";
  EXPECT_NE(watcher.current(), before);
  Write("nonsense");
  EXPECT_EQ(watcher.Poll(true), nullptr);
  EXPECT_EQ(ThresholdOf(watcher), 100);
  EXPECT_EQ(watcher.counters().taken, 1u);
  EXPECT_EQ(watcher.counters().refused, 1u);
}

TEST_F(RulesWatcherTest, AnErrorAtTheStartEndsTheStart) {
  Write("nonsense");
  EXPECT_THROW(Begin(), base::ConfigError);
}

TEST_F(RulesWatcherTest, WithoutAFileNothingIsReadAgain) {
  RulesWatcher watcher({"", [] { return alert::BuiltInRules({}); }}, clock_, lines_.log());
  clock_.Advance(10s);
  EXPECT_EQ(watcher.Poll(), nullptr);
}

}  // namespace
}  // namespace flowcast::services
