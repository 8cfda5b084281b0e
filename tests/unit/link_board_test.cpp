// The board of links: who is on it, and for how long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/forecast/link_board.h"

namespace flowcast::forecast {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Forecast Of(const std::string& link, double load, const std::string& target = "packets") {
  HorizonForecast horizon{.quantiles = std::vector<double>(kQuantileCount, load)};
  return {.link = link, .window_length = 5s, .target = target, .last_actual = load, .horizons = {horizon}};
}

class LinkBoardTest : public ::testing::Test {
 protected:
  void Show(LinkBoard& board, const std::string& link, double load, base::Duration now = 0s,
            std::int32_t partition = 0) {
    board.Show(Of(link, load), partition, true, now);
  }
  static std::vector<std::string> Links(const LinkBoard& board) {
    std::vector<std::string> names;
    for (const auto& [name, entry] : board.links()) names.push_back(name);
    return names;
  }
};

TEST_F(LinkBoardTest, TakesTheLinksWithMostLoad) {
  LinkBoard board({.most = 2});
  for (const double load : {1, 2, 3, 9, 4}) Show(board, "l" + std::to_string(static_cast<int>(load)), load);
  EXPECT_THAT(Links(board), ElementsAre("l4", "l9"));
}

TEST_F(LinkBoardTest, ALittleMoreLoadIsNoReasonToChange) {
  LinkBoard board({.most = 1});
  Show(board, "a", 100);
  Show(board, "b", 120);
  EXPECT_THAT(Links(board), ElementsAre("a"));
  Show(board, "b", 126);
  EXPECT_THAT(Links(board), ElementsAre("b"));
}

TEST_F(LinkBoardTest, ALinkThatGrewQuietMakesRoom) {
  LinkBoard board({.most = 1});
  Show(board, "a", 100);
  for (int i = 0; i < 40; ++i) Show(board, "a", 1);
  Show(board, "b", 50);
  EXPECT_THAT(Links(board), ElementsAre("b"));
}

TEST_F(LinkBoardTest, HoldsNoMoreThanToldHoweverManyLinksThereAre) {
  LinkBoard board({.most = 20});
  for (int i = 0; i < 5000; ++i) Show(board, "link" + std::to_string(i), i * i % 977);
  EXPECT_EQ(board.links().size(), 20U);
  LinkBoard none({.most = 0});
  Show(none, "a", 1);
  EXPECT_THAT(none.links(), IsEmpty());
}

TEST_F(LinkBoardTest, TakesOnlyLinksThatAreLikeThePatterns) {
  LinkBoard board({.most = 9, .patterns = {"wan/*", "lab/eth?"}});
  for (const char* link : {"wan/a", "lan/a", "lab/eth0", "lab/eth10"}) Show(board, link, 1);
  EXPECT_THAT(Links(board), ElementsAre("lab/eth0", "wan/a"));
}

TEST_F(LinkBoardTest, DoesNotShowNamesThatAreNoNames) {
  LinkBoard board;
  Show(board, std::string(LinkBoard::kLongestName + 1, 'x'), 1);
  EXPECT_THAT(Links(board), IsEmpty());
}

TEST_F(LinkBoardTest, KeepsTheLastForecastOfEachTarget) {
  LinkBoard board;
  board.Show(Of("a", 7), 0, true, 0s);
  board.Show(Of("a", 9000, "bytes"), 0, false, 0s);
  board.Show(Of("a", 8), 0, true, 1s);
  board.Show(Of("b", 9000, "bytes"), 0, false, 1s);
  EXPECT_THAT(Links(board), ElementsAre("a")) << "the first target decides";
  const auto& forecasts = board.links().at("a").forecasts;
  EXPECT_EQ(forecasts.at("packets").last_actual, 8);
  EXPECT_EQ(forecasts.at("bytes").last_actual, 9000);
}

TEST_F(LinkBoardTest, ForgetsLinksThatAreSilent) {
  LinkBoard board;
  Show(board, "a", 1, 0s);
  Show(board, "b", 1, 60s);
  board.ForgetSilent(75s);
  EXPECT_THAT(Links(board), ElementsAre("a", "b"));
  board.ForgetSilent(76s);
  EXPECT_THAT(Links(board), ElementsAre("b"));
}

TEST_F(LinkBoardTest, ForgetsThePartitionThatAnotherInstanceHas) {
  LinkBoard board;
  Show(board, "a", 1, 0s, 1);
  Show(board, "b", 1, 0s, 2);
  board.ForgetPartition(1);
  EXPECT_THAT(Links(board), ElementsAre("b"));
}

}  // namespace
}  // namespace flowcast::forecast
