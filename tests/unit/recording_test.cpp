// Recordings as sources of packets: several merged in order of time, played again, moved in time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/capture/merged_source.h"
#include "libs/capture/replay_source.h"
#include "tests/support/fake_source.h"

namespace flowcast::capture {
namespace {

using namespace std::chrono_literals;
using support::At;
using support::FakeSource;
using support::PacketAt;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::unique_ptr<FakeSource> Recording(const std::vector<double>& seconds,
                                      const std::string& interface = "if0") {
  auto source = std::make_unique<FakeSource>();
  source->names = {interface};
  for (const double second : seconds) source->Add(PacketAt(second));
  return source;
}

std::vector<packet::Packet> Drain(PacketSource& source, std::size_t limit = 1000) {
  std::vector<packet::Packet> packets;
  while (source.Poll(limit, packets) != PollState::kEnd) continue;
  return packets;
}

std::vector<double> Seconds(const std::vector<packet::Packet>& packets) {
  std::vector<double> seconds;
  for (const packet::Packet& packet : packets) seconds.push_back(base::ToSeconds(packet.time - At(0)));
  return seconds;
}

class MergedSourceTest : public testing::Test {
 protected:
  void Add(const std::vector<double>& seconds, const std::string& interface = "if0",
           const std::string& complaint = "") {
    parts_.push_back({.first = At(seconds.empty() ? -1e6 : seconds.front()), .open = [=, this] {
                        ++opened_;
                        auto source = Recording(seconds, interface);
                        source->complaint = complaint;
                        return source;
                      }});
  }
  std::vector<MergePart> parts_;
  int opened_ = 0;
};

TEST_F(MergedSourceTest, FilesThatFollowEachOtherAreReadInOrderOfTimeWhateverTheirOrderIs) {
  Add({10, 11});
  Add({0, 1});
  Add({20});
  MergedSource merged(parts_);
  EXPECT_THAT(Seconds(Drain(merged)), ElementsAre(0, 1, 10, 11, 20));
  EXPECT_THAT(merged.interfaces(), ElementsAre("if0"));
  EXPECT_EQ(merged.statistics().received, 5u);
}

TEST_F(MergedSourceTest, FilesOfTheSameTimeAreInterleaved) {
  Add({0, 2, 4}, "eth0");
  Add({1, 3, 5}, "eth1");
  MergedSource merged(parts_);
  const auto packets = Drain(merged, 1);
  EXPECT_THAT(Seconds(packets), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(merged.interfaces(), ElementsAre("eth0", "eth1"));
  EXPECT_EQ(packets[3].interface, 1);
}

TEST_F(MergedSourceTest, AFileIsOpenedWhenItsTimeHasCome) {
  Add({0, 1});
  Add({10, 11});
  MergedSource merged(parts_);
  std::vector<packet::Packet> packets;
  merged.Poll(2, packets);
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(merged.LowerBound(), At(1));
  merged.Poll(1, packets);
  EXPECT_EQ(opened_, 2);
  EXPECT_EQ(merged.statistics().received, 3u) << "what was read ahead does not count yet";
  EXPECT_EQ(merged.LowerBound(), At(11));
}

TEST_F(MergedSourceTest, TimesThatGoBackWithinAFileStayInTheirPlace) {
  Add({0, 5, 1, 6});
  Add({2, 3});
  MergedSource merged(parts_);
  EXPECT_THAT(Seconds(Drain(merged)), ElementsAre(0, 2, 3, 5, 1, 6));
}

TEST_F(MergedSourceTest, EmptyFilesAndComplaintsAreNotLost) {
  Add({}, "if0", "first is damaged");
  for (int i = 0; i < 4; ++i) Add({1.0 * i}, "if0", "another is damaged");
  MergedSource merged(parts_);
  EXPECT_THAT(Drain(merged), SizeIs(4));
  EXPECT_THAT(merged.Complaint(), testing::StartsWith("first is damaged; another"));
  EXPECT_THAT(merged.Complaint(), testing::EndsWith("and 2 more files with damage"));
}

TEST(ReplaySourceTest, ALoopGoesOnInTimeAtTheMeanDistanceOfPackets) {
  ReplaySource replay([] { return Recording({0, 1, 4}); }, {.loop = true});
  std::vector<packet::Packet> packets;
  while (packets.size() < 8) replay.Poll(1, packets);
  EXPECT_THAT(Seconds(packets), ElementsAre(0, 1, 4, 6, 7, 10, 12, 13));
  EXPECT_EQ(replay.statistics().received, 8u);
}

TEST(ReplaySourceTest, ALoopOverOnePacketLeavesASecond) {
  ReplaySource replay([] { return Recording({3}); }, {.loop = true});
  std::vector<packet::Packet> packets;
  while (packets.size() < 3) replay.Poll(10, packets);
  EXPECT_THAT(Seconds(packets), ElementsAre(3, 4, 5));
}

TEST(ReplaySourceTest, ALoopOverNothingEnds) {
  ReplaySource replay([] { return Recording({}); }, {.loop = true});
  EXPECT_THAT(Drain(replay), IsEmpty());
}

TEST(ReplaySourceTest, RebasedPacketsKeepTheirDistances) {
  ReplaySource replay([] { return Recording({5, 7, 6}); }, {.rebase_to = At(100)});
  EXPECT_EQ(replay.LowerBound(), base::kBeginningOfTime);
  EXPECT_THAT(Seconds(Drain(replay)), ElementsAre(100, 102, 101));
}

TEST(ReplaySourceTest, InterfacesStayWhenAPassBegins) {
  ReplaySource replay([] { return Recording({0, 1}, "eth7"); }, {.loop = true});
  std::vector<packet::Packet> packets;
  for (int i = 0; i < 5; ++i) replay.Poll(1, packets);
  EXPECT_THAT(replay.interfaces(), ElementsAre("eth7"));
}

}  // namespace
}  // namespace flowcast::capture
