// capture::FileSource: packets, filters, counts and complaints of a capture file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libs/capture/file_source.h"
#include "tests/support/captures.h"
#include "tests/support/frames.h"

namespace flowcast::capture {
namespace {

using namespace support;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Order kOrder = Order::kLittle;

Bytes UdpFrame(std::uint16_t port) { return Ethernet(0x0800, Ipv4({.protocol = 17}, Udp(port, 53))); }

class FileSourceTest : public ::testing::Test {
 protected:
  /// The source's file, which must outlive it.
  void Open(Bytes file, FrameFilterFactory filters = nullptr) {
    auto reader =
        std::make_unique<capfile::Reader>(std::make_unique<PiecewiseSource>(std::move(file), 1000), "x.pcap");
    source_ = std::make_unique<FileSource>(std::move(reader), std::move(filters));
  }
  void PollToTheEnd() {
    while (source_->Poll(2, packets_) != PollState::kEnd) {
    }
  }
  void ExpectSumHolds() {
    const SourceStatistics counted = source_->statistics();
    EXPECT_EQ(counted.received, packets_.size() + counted.filtered + counted.undecodable);
  }

  std::unique_ptr<FileSource> source_;
  std::vector<packet::Packet> packets_;
};

TEST_F(FileSourceTest, GivesDecodedPacketsWithTimeLengthAndInterface) {
  Open(PcapHeader({}) + PcapRecord({}, 1, 5, UdpFrame(1000), 1500) + PcapRecord({}, 2, 0, UdpFrame(1001)));
  PollToTheEnd();
  ASSERT_EQ(packets_.size(), 2U);
  EXPECT_EQ(packets_[0].time, base::FromUnixNanoseconds(1'000'005'000));
  EXPECT_EQ(packets_[0].wire_length_bytes, 1500U);
  EXPECT_EQ(packets_[0].interface, 0);
  EXPECT_EQ(packets_[0].flow.source_port, 1000);
  EXPECT_EQ(packets_[1].flow.source_port, 1001);
  EXPECT_THAT(source_->interfaces(), ElementsAre("if0"));
  EXPECT_THAT(source_->Complaint(), IsEmpty());
}

/// A pipe: what was written to it is there, then nothing until its other end is closed.
class Pipe : public capfile::ByteSource {
 public:
  std::size_t Read(std::span<std::byte> buffer) override {
    EXPECT_TRUE(Await({})) << "it would have waited";
    const std::size_t count = std::min(buffer.size(), bytes.size());
    std::copy_n(bytes.begin(), count, buffer.begin());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  bool Await(std::chrono::milliseconds) override { return closed || !bytes.empty(); }

  Bytes bytes;
  bool closed = false;
};

class FollowedFileSourceTest : public ::testing::Test {
 protected:
  FollowedFileSourceTest() {
    auto owned = std::make_unique<Pipe>();
    pipe_ = owned.get();
    pipe_->bytes = PcapHeader({});
    auto reader = std::make_unique<capfile::Reader>(std::move(owned), "-");
    reader->DoNotWait();
    source_ = std::make_unique<FileSource>(std::move(reader), nullptr);
  }
  PollState Poll() { return source_->Poll(100, packets_); }

  Pipe* pipe_ = nullptr;
  std::unique_ptr<FileSource> source_;
  std::vector<packet::Packet> packets_;
};

TEST_F(FollowedFileSourceTest, OfAPipeItGivesWhatHasComeAndIsIdleMeanwhile) {
  const Bytes first = PcapRecord({}, 1, 0, UdpFrame(1)), second = PcapRecord({}, 2, 0, UdpFrame(2));
  EXPECT_EQ(Poll(), PollState::kIdle);
  pipe_->bytes = first + Bytes(second.begin(), second.begin() + 20);
  EXPECT_EQ(Poll(), PollState::kPackets);
  EXPECT_EQ(packets_.size(), 1U) << "half of a packet waits for the rest";
  EXPECT_EQ(Poll(), PollState::kIdle);
  pipe_->bytes = Bytes(second.begin() + 20, second.end());
  EXPECT_EQ(Poll(), PollState::kPackets);
  EXPECT_EQ(packets_.size(), 2U);
  pipe_->closed = true;
  EXPECT_EQ(Poll(), PollState::kEnd);
  EXPECT_FALSE(source_->Failed());
  EXPECT_EQ(source_->statistics().received, 2U);
}

TEST_F(FollowedFileSourceTest, APipeThatIsClosedWithinAPacketIsDamaged) {
  pipe_->bytes = PcapRecord({}, 1, 0, UdpFrame(1));
  pipe_->bytes.resize(20);
  EXPECT_EQ(Poll(), PollState::kIdle) << "the file's header was read when it was opened";
  pipe_->closed = true;
  while (Poll() != PollState::kEnd) {
  }
  EXPECT_TRUE(source_->Failed());
}

TEST_F(FileSourceTest, OneTimeStampFarAheadIsNoLowerBoundTwoAre) {
  Bytes file = PcapHeader({});
  for (const std::uint32_t seconds : {1U, 900'000U, 2U, 3U, 8'000U, 8'001U})
    file = file + PcapRecord({}, seconds, 0, UdpFrame(1));
  Open(file);
  std::vector<std::int64_t> bounds;
  for (int i = 0; i < 6; ++i) {
    source_->Poll(1, packets_);
    bounds.push_back(base::ToUnixNanoseconds(source_->LowerBound()) / 1'000'000'000);
  }
  EXPECT_THAT(bounds, ElementsAre(1, 1, 2, 3, 3, 8'001));
}

TEST_F(FileSourceTest, ReadsNoMoreThanItIsAskedFor) {
  Open(PcapHeader({}) + PcapRecord({}, 1, 0, UdpFrame(1)) + PcapRecord({}, 2, 0, UdpFrame(2)));
  EXPECT_EQ(source_->Poll(1, packets_), PollState::kPackets);
  EXPECT_EQ(packets_.size(), 1U);
  EXPECT_EQ(source_->Poll(1, packets_), PollState::kPackets);
  EXPECT_EQ(source_->Poll(1, packets_), PollState::kEnd);
  EXPECT_EQ(source_->Poll(1, packets_), PollState::kEnd);
}

TEST_F(FileSourceTest, BoundsTimeByTheNewestStampEvenWhenTheFileStepsBack) {
  Open(PcapHeader({}) + PcapRecord({}, 9, 0, UdpFrame(1)) + PcapRecord({}, 3, 0, UdpFrame(2)));
  EXPECT_EQ(source_->LowerBound(), base::kBeginningOfTime);
  source_->Poll(1, packets_);
  EXPECT_EQ(source_->LowerBound(), base::FromUnixNanoseconds(9'000'000'000));
  source_->Poll(1, packets_);
  EXPECT_EQ(source_->LowerBound(), base::FromUnixNanoseconds(9'000'000'000));
}

TEST_F(FileSourceTest, CountsFramesThatAFilterRejects) {
  const auto filters = [](const capfile::Interface&) -> FrameFilter {
    return
        [](std::span<const std::byte>, std::uint32_t wire_length_bytes) { return wire_length_bytes > 100; };
  };
  Open(PcapHeader({}) + PcapRecord({}, 1, 0, UdpFrame(1), 1500) + PcapRecord({}, 2, 0, UdpFrame(2)), filters);
  PollToTheEnd();
  EXPECT_EQ(packets_.size(), 1U);
  EXPECT_EQ(source_->statistics().filtered, 1U);
  ExpectSumHolds();
}

TEST_F(FileSourceTest, LearnsInterfacesAndTheirFiltersAsTheFileDeclaresThem) {
  std::vector<std::string> asked;
  const auto filters = [&](const capfile::Interface& interface) -> FrameFilter {
    asked.push_back(interface.name);
    return nullptr;
  };
  Open(Section(kOrder) + InterfaceBlock(kOrder, {.name = "a"}) + EnhancedPacket(kOrder, 0, 1, UdpFrame(1)) +
           InterfaceBlock(kOrder, {.link_type = 147, .name = "strange"}) +
           InterfaceBlock(kOrder, {.name = "b"}) + EnhancedPacket(kOrder, 2, 2, UdpFrame(2)),
       filters);
  PollToTheEnd();
  EXPECT_THAT(source_->interfaces(), ElementsAre("a", "strange", "b"));
  EXPECT_THAT(asked, ElementsAre("a", "b"));
  ASSERT_EQ(packets_.size(), 2U);
  EXPECT_EQ(packets_[1].interface, 2);
}

TEST_F(FileSourceTest, CountsAndNamesFramesOfUnknownLinkTypes) {
  Open(Section(kOrder) + InterfaceBlock(kOrder, {.link_type = 147, .name = "tap"}) +
       EnhancedPacket(kOrder, 0, 1, UdpFrame(1)));
  PollToTheEnd();
  EXPECT_THAT(packets_, IsEmpty());
  ExpectSumHolds();
  EXPECT_EQ(source_->Complaint(),
            "x.pcap: 1 of 1 frames could not be decoded (interface tap has link type 147, which flowcast "
            "does not know)");
}

TEST_F(FileSourceTest, CountsFramesWithoutAWholeLinkLayerHeader) {
  Open(PcapHeader({}) + PcapRecord({}, 1, 0, Zeros(13)) + PcapRecord({}, 2, 0, UdpFrame(1)));
  PollToTheEnd();
  EXPECT_EQ(packets_.size(), 1U);
  EXPECT_EQ(source_->statistics().undecodable, 1U);
  ExpectSumHolds();
  EXPECT_THAT(source_->Complaint(), HasSubstr("cut short"));
}

TEST_F(FileSourceTest, ComplainsOfDamageButGivesWhatWasWhole) {
  const Bytes file = PcapHeader({}) + PcapRecord({}, 1, 0, UdpFrame(1)) + PcapRecord({}, 2, 0, UdpFrame(2));
  Open(First(file, file.size() - 1));
  PollToTheEnd();
  EXPECT_EQ(packets_.size(), 1U);
  EXPECT_EQ(source_->Complaint(),
            "x.pcap is damaged at byte 82: packet of 42 bytes ends after 41; everything before was read "
            "(copy the file again if there should be more)");
}

}  // namespace
}  // namespace flowcast::capture
