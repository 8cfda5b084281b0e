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
#include <filesystem>
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

struct PacketSocket {
  int version = -1;
  std::int64_t ring_bytes = 0;
};

/// This process's, as the kernel sees it; the one that is bound last, if there are several.
PacketSocket FindPacketSocket() {
  PacketSocket found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    socklen_t size = sizeof found.version;
    const int descriptor = std::stoi(entry.path().filename().string());
    getsockopt(descriptor, SOL_PACKET, PACKET_VERSION, &found.version, &size);
  }
  std::ifstream maps("/proc/self/maps");  // "7f00-7f01 rw-s 00000000 00:08 123   socket:[123]"
  for (std::string line; std::getline(maps, line);) {
    if (line.find("socket:[") == std::string::npos) continue;
    const std::size_t dash = line.find('-');
    found.ring_bytes = std::stoll(line.substr(dash + 1), nullptr, 16) - std::stoll(line, nullptr, 16);
  }
  return found;
}

/// The veth pair in0 - out0, and lo; all of it goes with the process.
class LiveSourceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (geteuid() != 0) return;
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  }
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to make a network namespace";
    MakePair();
    Shell("ip link set lo up");
  }

  static void MakePair() {
    if (if_nametoindex("in0") == 0) Shell("ip link add in0 type veth peer name out0");
    for (const std::string name : {"in0", "out0"}) {
      std::ofstream("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6") << 1;  // no chatter of its own
      Shell("ip link set " + name + " up");
    }
  }
  void Open(LiveOptions options) {
    options.ring_bytes = std::min(options.ring_bytes, 4 << 20);
    options.block_timeout = 20ms;
    options.log = [this](base::LogLevel, const std::string& line) { said_.push_back(line); };
    source_ = OpenLive(options, clock_);
  }
  void Open(std::vector<std::string> interfaces, const std::string& filter = "") {
    Open(LiveOptions{.interfaces = std::move(interfaces), .filter = filter});
  }
  std::string RefusalOf(std::vector<std::string> interfaces, const std::string& filter = "") {
    return RefusalOf(LiveOptions{.interfaces = std::move(interfaces), .filter = filter});
  }
  std::string RefusalOf(const LiveOptions& options) {
    try {
      Open(options);
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

  void PollUntilSaid(const std::string& line) {
    PollUntil([&] { return std::ranges::find(said_, line) != said_.end(); });
  }
  /// Of packets that came over this interface, their source ports.
  std::vector<int> PortsOf(std::uint16_t interface) const {
    std::vector<int> ports;
    for (const packet::Packet& packet : packets_) {
      if (packet.interface == interface) ports.push_back(packet.flow.source_port);
    }
    return ports;
  }

  /// The kernel tells of a carrier's end in its own time: waits for it.
  bool LosesItsCarrier(const std::string& name) {
    const base::Duration deadline = clock_.Steady() + kPatience;
    while (clock_.Steady() < deadline) {
      const auto interfaces = ListInterfaces();
      const auto found = std::ranges::find(interfaces, name, &InterfaceInfo::name);
      if (found != interfaces.end() && !found->carrier) return true;
      clock_.SleepFor(10ms);
    }
    return false;
  }

  std::vector<std::string> said_;
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

TEST_F(LiveSourceTest, TheKernelCutsPacketsBeforeTheyEnterTheRing) {
  Open(LiveOptions{.interfaces = {"out0"}, .snap_length_bytes = 64, .ring_bytes = 1 << 20});
  const Sender sender("in0");
  const Bytes frame = Ethernet(0x0800, Ipv4({.protocol = 17}, Udp(53, 4711) + Zeros(1400)));
  for (int i = 0; i < 2000; ++i) sender.Send(frame);  // 2.8 MB whole
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  EXPECT_EQ(source_->statistics().dropped_by_kernel, 0U);
  ASSERT_EQ(packets_.size(), 2000U);
  EXPECT_EQ(packets_[0].wire_length_bytes, frame.size());
}

TEST_F(LiveSourceTest, LooksIntoTunnelsWhenAskedTo) {
  const Bytes frame = Ethernet(0x0800, Ipv4({.protocol = 4}, Ipv4({.protocol = 17}, Udp(53, 4711))));
  Open(LiveOptions{.interfaces = {"out0"}, .tunnels = packet::Tunnels::All()});
  Sender("in0").Send(frame);
  PollUntil([&] { return packets_.size() == 1; });
  EXPECT_EQ(packets_[0].flow.source_port, 53);
  packets_.clear();
  Open({"out0"});
  Sender("in0").Send(frame);
  PollUntil([&] { return packets_.size() == 1; });
  EXPECT_EQ(packets_[0].flow.source_port, 0);
}

TEST_F(LiveSourceTest, StampsPacketsInNanoseconds) {
  Open({"out0"});
  const Sender sender("in0");
  for (int i = 0; i < 100; ++i) sender.Send(UdpFrame(53));
  PollUntil([&] { return packets_.size() == 100; });
  EXPECT_TRUE(std::ranges::any_of(
      packets_, [](const auto& packet) { return base::ToUnixNanoseconds(packet.time) % 1000 != 0; }));
}

TEST_F(LiveSourceTest, HasARingOfBlocksOfTheSizeAskedFor) {
  Open(LiveOptions{.interfaces = {"out0"}, .ring_bytes = 3 << 20});
  const PacketSocket ours = FindPacketSocket();
  EXPECT_EQ(ours.version, TPACKET_V3);  // which libpcap does not take in immediate mode
  EXPECT_EQ(ours.ring_bytes, 3 << 20);
}

TEST_F(LiveSourceTest, IsPromiscuousOrNot) {
  const std::string is_promiscuous = "ip -d link show out0 | grep -q 'promiscuity 1 '";
  Open(LiveOptions{.interfaces = {"out0"}, .promiscuous = true});
  Shell(is_promiscuous);
  source_.reset();
  Open(LiveOptions{.interfaces = {"out0"}, .promiscuous = false});
  Shell("! " + is_promiscuous);
}

TEST_F(LiveSourceTest, CountsWhatDidNotFitIntoTheRing) {
  Open(LiveOptions{.interfaces = {"out0"}, .ring_bytes = 1 << 16});
  const Sender sender("in0");
  constexpr std::uint64_t kCount = 20'000;
  for (std::uint64_t i = 0; i < kCount; ++i) sender.Send(UdpFrame(53));
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  const auto counted = source_->statistics();
  EXPECT_GT(counted.dropped_by_kernel, 0U);
  EXPECT_EQ(counted.received, kCount);
  EXPECT_EQ(counted.received, packets_.size() + counted.dropped_by_kernel + counted.dropped_by_interface);
}

TEST_F(LiveSourceTest, WaitsForAnInterfaceThatGoesDownAndComesBack) {
  Open({"out0"});
  Sender("in0").Send(UdpFrame(1));
  PollUntil([&] { return packets_.size() == 1; });
  Shell("ip link set out0 down");
  PollUntilSaid("interface out0 went down; waiting for it to come back");
  const base::EventTime bound = source_->LowerBound();
  PollUntil([&] { return source_->LowerBound() > bound + 100ms; });  // nobody waits for it
  Shell("ip link set out0 up");
  PollUntilSaid("interface out0 is back");
  Sender("in0").Send(UdpFrame(2));
  PollUntil([&] { return packets_.size() == 2; });
  EXPECT_THAT(PortsOf(0), ElementsAre(1, 2));
  EXPECT_EQ(source_->statistics().received, 2U);
  EXPECT_EQ(said_.size(), 2U);
}

TEST_F(LiveSourceTest, WaitsForAnInterfaceThatIsDeletedAndMadeAgainWhileOthersGoOn) {
  Open({"out0", "lo"}, "udp");
  Sender("in0").Send(UdpFrame(1));
  Shell("ip link del in0");
  PollUntilSaid("interface out0 went away; waiting for it to come back");
  SendToLoopback(9);
  PollUntil([&] { return PortsOf(1).size() == 1; });
  const base::EventTime bound = source_->LowerBound();
  PollUntil([&] { return source_->LowerBound() > bound + 100ms; });
  MakePair();
  PollUntilSaid("interface out0 is back");
  Sender("in0").Send(UdpFrame(2));
  Sender("in0").Send(Ethernet(0x0800, Ipv4({.protocol = 6}, Bytes(20))));  // for the filter
  PollUntil([&] { return PortsOf(0).size() == 2; });
  EXPECT_THAT(PortsOf(0), ElementsAre(1, 2));
  EXPECT_EQ(source_->statistics().received, 3U);
  EXPECT_EQ(said_.size(), 2U);
  EXPECT_FALSE(source_->Failed());
}

TEST_F(LiveSourceTest, NeverTakesCountsBackWhenAnInterfaceIsMadeAgain) {
  Open(LiveOptions{.interfaces = {"out0"}, .ring_bytes = 1 << 16});
  const Sender sender("in0");
  for (int i = 0; i < 20'000; ++i) sender.Send(UdpFrame(53));
  PollUntil([&] { return Poll() == capture::PollState::kIdle; });
  const auto before = source_->statistics();
  Shell("ip link del in0");
  PollUntil([&] { return said_.size() == 1; });
  MakePair();
  PollUntilSaid("interface out0 is back");
  const auto after = source_->statistics();
  EXPECT_GT(before.dropped_by_kernel, 0U);
  EXPECT_EQ(after.received, before.received);
  EXPECT_EQ(after.dropped_by_kernel, before.dropped_by_kernel);
  EXPECT_EQ(after.dropped_by_interface, before.dropped_by_interface);
}

TEST_F(LiveSourceTest, LosesNothingThatCameBeforeAnInterfaceWasDeleted) {
  Open({"out0"});
  const Sender sender("in0");
  for (std::uint16_t port = 0; port < 3000; ++port) sender.Send(UdpFrame(port));
  Shell("ip link del in0");
  PollUntil([&] { return said_.size() == 1 && packets_.size() == 3000; });
  EXPECT_EQ(source_->statistics().received, 3000U);
}

TEST_F(LiveSourceTest, EndsWithAComplaintWhenAnInterfaceIsDeletedThatMayNotBeOpenedAgain) {
  Open(LiveOptions{.interfaces = {"lo", "out0"}, .filter = "udp", .keep_reopening = false});
  SendToLoopback(9);
  Sender("in0").Send(UdpFrame(1));
  Shell("ip link del in0");
  PollUntil([&] { return Poll() == capture::PollState::kEnd; });
  EXPECT_EQ(packets_.size(), 2U);
  EXPECT_THAT(source_->Complaint(), HasSubstr("interface out0 went away, and without CAP_NET_RAW"));
  EXPECT_TRUE(source_->Failed());
  EXPECT_EQ(Poll(), capture::PollState::kEnd);
  EXPECT_EQ(source_->statistics().received, 2U);
}

TEST_F(LiveSourceTest, FiltersEachInterfaceByItsOwn) {
  Open(LiveOptions{.interfaces = {"in0", "out0", "lo"},
                   .filter = "udp src port 1",
                   .interface_filters = {{"out0", "udp src port 2"}, {"lo", ""}}});
  const Sender sender("in0");
  for (const int port : {1, 2, 3}) sender.Send(UdpFrame(static_cast<std::uint16_t>(port)));
  SendToLoopback(9);
  PollUntil([&] { return Poll() == capture::PollState::kIdle && packets_.size() >= 3; });
  EXPECT_THAT(PortsOf(0), ElementsAre(1));
  EXPECT_THAT(PortsOf(1), ElementsAre(2));
  EXPECT_THAT(PortsOf(2), Not(IsEmpty()));  // also the answer that nobody listens
}

TEST_F(LiveSourceTest, RefusesFiltersForInterfacesThatAreNotCaptured) {
  EXPECT_EQ(RefusalOf(LiveOptions{.interfaces = {"out0"}, .interface_filters = {{"in0", "udp"}}}),
            "the filter 'udp' is for interface in0, which is not captured from; name that interface too, or "
            "leave the filter out");
}

TEST_F(LiveSourceTest, RefusesToCountAnInterfaceTwice) {
  EXPECT_THAT(RefusalOf({"out0", "lo", "out0"}), HasSubstr("interface out0 is named twice"));
}

TEST_F(LiveSourceTest, RefusesAnInterfaceThatIsDown) {
  Shell("ip link set out0 down");
  EXPECT_EQ(RefusalOf({"out0"}), "interface out0 is down; bring it up with: sudo ip link set out0 up");
}

TEST_F(LiveSourceTest, RefusesInterfacesThatDoNotExistAndNamesThoseThatDo) {
  EXPECT_EQ(RefusalOf({"eth9"}), "interface eth9 does not exist; there are: in0, lo, out0");
  EXPECT_THAT(RefusalOf(LiveOptions{}), HasSubstr("name one"));
}

TEST_F(LiveSourceTest, RefusesFiltersThatDoNotCompile) {
  EXPECT_THAT(RefusalOf({"out0"}, "udp prot 53"), HasSubstr("filter 'udp prot 53' does not compile: "));
}

TEST_F(LiveSourceTest, NamesTheRemedyWhenThePermissionIsMissing) {
  ASSERT_EQ(seteuid(65534), 0);
  const std::string refusal = RefusalOf({"out0"});
  const std::string unknown = RefusalOf({"eth9"});
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_THAT(refusal, HasSubstr("sudo setcap cap_net_raw=eip /"));
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

TEST_F(LiveSourceTest, ListsWhetherInterfacesAreUpAndHaveACarrier) {
  Shell("ip link set in0 down");
  const auto interfaces = ListInterfaces();
  ASSERT_EQ(interfaces.size(), 3U);
  EXPECT_FALSE(interfaces[0].up);
  EXPECT_FALSE(interfaces[0].carrier);
  EXPECT_TRUE(interfaces[1].carrier);
  EXPECT_TRUE(interfaces[2].up);
  EXPECT_TRUE(LosesItsCarrier("out0"));  // its peer is down
}

TEST_F(LiveSourceTest, ListsInterfacesWithoutThePermissionToOpenThem) {
  ASSERT_EQ(seteuid(65534), 0);
  const auto interfaces = ListInterfaces();
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_EQ(interfaces.size(), 3U);
  EXPECT_EQ(interfaces[2].name, "out0");
  EXPECT_TRUE(interfaces[2].up);
  EXPECT_EQ(interfaces[2].link_type, "?");
}

}  // namespace
}  // namespace flowcast::pcap
