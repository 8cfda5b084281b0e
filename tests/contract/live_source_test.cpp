// pcap::OpenLive on a veth pair and loopback, in a network namespace of this process alone.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "libs/base/error.h"
#include "libs/pcap/live_source.h"
#include "tests/support/frames.h"

namespace flowcast::pcap {
namespace {

using namespace std::chrono_literals;
using namespace support;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr base::Duration kPatience = 10s;

Bytes UdpFrame(std::uint16_t port) { return Ethernet(0x0800, Ipv4({.protocol = 17}, Udp(port, 4711))); }

/// Puts frames onto an interface.
class Sender {
 public:
  explicit Sender(const char* interface) : descriptor_(socket(AF_PACKET, SOCK_RAW, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Sender() { close(descriptor_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void Send(const Bytes& frame) const {
    EXPECT_EQ(send(descriptor_, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }

 private:
  int descriptor_;
};

void SendToLoopback(std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(sendto(descriptor, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 1);
  close(descriptor);
}

void Shell(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

/// The veth pair in0 - out0, and lo; all of it goes with the process.
class LiveSourceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (geteuid() != 0) return;
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to make a network namespace";
    if (if_nametoindex("in0") == 0) Shell("ip link add in0 type veth peer name out0");
    for (const std::string name : {"in0", "out0"}) {
      std::ofstream("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6") << 1;  // no chatter of its own
      Shell("ip link set " + name + " up");
    }
    Shell("ip link set lo up");
  }

  void Open(std::vector<std::string> interfaces, const std::string& filter = "", int ring_bytes = 4 << 20) {
    LiveOptions options;
    options.interfaces = std::move(interfaces);
    options.filter = filter;
    options.ring_bytes = ring_bytes;
    options.block_timeout = 20ms;
    source_ = OpenLive(options, clock_);
  }
  std::string RefusalOf(std::vector<std::string> interfaces, const std::string& filter = "") {
    try {
      Open(std::move(interfaces), filter);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  }
  /// Polls, and holds every packet against the bound that was promised before.
  capture::PollState Poll(std::size_t limit = 100) {
    const base::EventTime bound = source_->LowerBound();
    const std::size_t before = packets_.size();
    const auto state = source_->Poll(limit, packets_);
    EXPECT_LE(packets_.size() - before, limit);
    for (std::size_t i = before; i < packets_.size(); ++i) EXPECT_GE(packets_[i].time, bound);
    EXPECT_GE(source_->LowerBound(), bound);
    return state;
  }
  void PollUntil(const std::function<bool()>& condition) {
    const base::Duration deadline = clock_.Steady() + kPatience;
    while (!condition()) {
      Poll();
      ASSERT_LT(clock_.Steady(), deadline)
          << "after " << packets_.size() << " packets; " << source_->Complaint();
    }
  }

  base::SystemClock clock_;
  std::unique_ptr<capture::PacketSource> source_;
  std::vector<packet::Packet> packets_;
};

TEST_F(LiveSourceTest, GivesPacketsInOrderWithTimesOfNow) {
  Open({"out0"});
  const base::EventTime start = clock_.Now();
  const Sender sender("in0");
  constexpr std::uint16_t kCount = 2000;
  for (std::uint16_t port = 0; port < kCount; ++port) sender.Send(UdpFrame(port));
  PollUntil([&] { return packets_.size() == kCount; });
  for (std::uint16_t port = 0; port < kCount; ++port) {
    ASSERT_EQ(packets_[port].flow.source_port, port);
    EXPECT_EQ(packets_[port].wire_length_bytes, 42U);
    EXPECT_GE(packets_[port].time, start);
    EXPECT_LE(packets_[port].time, clock_.Now());
  }
  EXPECT_EQ(source_->statistics().received, kCount);
  EXPECT_THAT(source_->Complaint(), IsEmpty());
}

TEST_F(LiveSourceTest, KeepsItsBoundWhilePacketsComeSteadily) {
  Open({"out0"});
  const Sender sender("in0");
  const base::Duration end = clock_.Steady() + 500ms;
  while (clock_.Steady() < end) {
    for (int i = 0; i < 20; ++i) sender.Send(UdpFrame(53));
    Poll(7);  // too few: the ring is never empty
  }
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  const auto counted = source_->statistics();
  EXPECT_EQ(counted.received, packets_.size() + counted.dropped_by_kernel);
}

TEST_F(LiveSourceTest, SaysWhenNothingComesHowFarTimeHasGone) {
  Open({"out0", "lo"});
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  EXPECT_LE(source_->LowerBound(), clock_.Now() - 20ms);
  EXPECT_GE(source_->LowerBound(), clock_.Now() - kPatience);
}

TEST_F(LiveSourceTest, NeverTakesItsBoundBackWhenTheClockIsSetBack) {
  base::ManualClock clock;
  LiveOptions options;
  options.interfaces = {"out0"};
  options.block_timeout = 10ms;
  source_ = OpenLive(options, clock);
  EXPECT_EQ(Poll(), capture::PollState::kIdle);
  const base::EventTime bound = source_->LowerBound();
  EXPECT_EQ(bound, clock.Now() - 10ms);
  clock.Advance(-1h);
  EXPECT_EQ(Poll(), capture::PollState::kIdle);
  EXPECT_EQ(source_->LowerBound(), bound);
}

TEST_F(LiveSourceTest, TellsInterfacesApart) {
  Open({"out0", "lo"}, "udp");
  EXPECT_THAT(source_->interfaces(), ElementsAre("out0", "lo"));
  Sender("in0").Send(UdpFrame(1));
  SendToLoopback(9);
  PollUntil([&] { return packets_.size() == 2; });
  if (packets_[0].interface == 1) std::swap(packets_[0], packets_[1]);
  EXPECT_EQ(packets_[0].interface, 0);
  EXPECT_EQ(packets_[0].flow.source_port, 1);
  EXPECT_EQ(packets_[1].interface, 1);
  EXPECT_EQ(packets_[1].flow.destination_port, 9);
}

TEST_F(LiveSourceTest, FiltersInTheKernel) {
  Open({"out0"}, "udp src port 53");
  const Sender sender("in0");
  for (const int port : {52, 53, 54}) sender.Send(UdpFrame(static_cast<std::uint16_t>(port)));
  PollUntil([&] { return Poll() == capture::PollState::kIdle && !packets_.empty(); });
  ASSERT_EQ(packets_.size(), 1U);
  EXPECT_EQ(packets_[0].flow.source_port, 53);
}

TEST_F(LiveSourceTest, CountsWhatDidNotFitIntoTheRing) {
  Open({"out0"}, "", 1 << 16);
  const Sender sender("in0");
  constexpr std::uint64_t kCount = 20'000;
  for (std::uint64_t i = 0; i < kCount; ++i) sender.Send(UdpFrame(53));
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  const auto counted = source_->statistics();
  EXPECT_GT(counted.dropped_by_kernel, 0U);
  EXPECT_EQ(counted.received, kCount);
  EXPECT_EQ(counted.received, packets_.size() + counted.dropped_by_kernel + counted.dropped_by_interface);
}

TEST_F(LiveSourceTest, GivesWhatItHasWhenAnInterfaceVanishesThenComplainsAndEnds) {
  Open({"lo", "out0"}, "udp");
  SendToLoopback(9);
  Shell("ip link del in0");
  PollUntil([&] { return Poll() == capture::PollState::kEnd; });
  EXPECT_EQ(packets_.size(), 1U);
  EXPECT_THAT(source_->Complaint(), HasSubstr("interface out0 failed"));
  EXPECT_EQ(Poll(), capture::PollState::kEnd);
}

TEST_F(LiveSourceTest, RefusesInterfacesThatDoNotExistAndNamesThoseThatDo) {
  EXPECT_EQ(RefusalOf({"eth9"}), "interface eth9 does not exist; there are: in0, lo, out0");
  EXPECT_THAT(RefusalOf({}), HasSubstr("name one"));
}

TEST_F(LiveSourceTest, RefusesFiltersThatDoNotCompile) {
  EXPECT_THAT(RefusalOf({"out0"}, "udp prot 53"), HasSubstr("filter 'udp prot 53' does not compile: "));
}

TEST_F(LiveSourceTest, NamesTheRemedyWhenThePermissionIsMissing) {
  ASSERT_EQ(seteuid(65534), 0);
  const std::string refusal = RefusalOf({"out0"});
  const std::string unknown = RefusalOf({"eth9"});
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_THAT(refusal, HasSubstr("sudo setcap cap_net_raw,cap_net_admin=eip /"));
  EXPECT_THAT(refusal, HasSubstr("live_source_test"));
  EXPECT_THAT(unknown, HasSubstr("interface eth9 does not exist"));
}

TEST_F(LiveSourceTest, ListsInterfacesWithTheirAddresses) {
  const auto interfaces = ListInterfaces();
  ASSERT_EQ(interfaces.size(), 3U);
  EXPECT_EQ(interfaces[1].name, "lo");
  EXPECT_TRUE(interfaces[1].up);
  EXPECT_EQ(interfaces[1].link_type, "EN10MB");
  EXPECT_THAT(interfaces[1].addresses, ::testing::Contains("127.0.0.1"));
}

}  // namespace
}  // namespace flowcast::pcap
