// capfile: both formats in both byte orders, old writers' habits, and files that end badly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/capfile/reader.h"
#include "tests/support/captures.h"

namespace flowcast::capfile {
namespace {

using namespace support;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Bytes kFrame = Text("one frame of some bytes");

struct Seen {
  std::int64_t time_ns = 0;
  std::uint32_t wire_length_bytes = 0;
  std::uint32_t interface = 0;
  Bytes bytes;

  bool operator==(const Seen&) const = default;
};

struct Result {
  std::vector<Seen> frames;
  std::vector<Interface> interfaces;
  std::optional<Damage> damage;
};

Result ReadFrom(std::unique_ptr<ByteSource> source) {
  Reader reader(std::move(source), "test.pcap");
  Result result;
  while (const auto frame = reader.Next()) {
    result.frames.push_back({base::ToUnixNanoseconds(frame->time), frame->wire_length_bytes, frame->interface,
                             Bytes(frame->bytes.begin(), frame->bytes.end())});
  }
  EXPECT_FALSE(reader.Next().has_value()) << "it ends for good";
  result.interfaces = reader.interfaces();
  result.damage = reader.damage();
  return result;
}

Result ReadAll(const Bytes& file) { return ReadFrom(std::make_unique<MemoryByteSource>(file)); }

Result ReadWhole(const Bytes& file) {
  const Result result = ReadAll(file);
  EXPECT_FALSE(result.damage) << result.damage->reason;
  return result;
}

void ExpectDamage(const Result& result, std::size_t frames, std::uint64_t offset, const std::string& reason) {
  EXPECT_EQ(result.frames.size(), frames);
  ASSERT_TRUE(result.damage);
  EXPECT_EQ(result.damage->offset, offset);
  EXPECT_THAT(result.damage->reason, HasSubstr(reason));
}

std::string RefusalOf(const Bytes& file) {
  try {
    Reader reader(std::make_unique<MemoryByteSource>(file), "test.pcap");
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Pcap, IsReadInBothByteOrdersAndResolutions) {
  for (const Order order : {Order::kBig, Order::kLittle}) {
    for (const bool nanoseconds : {false, true}) {
      const PcapOptions options{.order = order, .nanoseconds = nanoseconds, .link_type = 113};
      const Result result = ReadWhole(PcapHeader(options) + PcapRecord(options, 5, 250, kFrame, 1500) +
                                      PcapRecord(options, 6, 0, {}, 60));
      const std::int64_t fraction = nanoseconds ? 250 : 250'000;
      EXPECT_THAT(result.frames, ElementsAre(Seen{5'000'000'000 + fraction, 1500, 0, kFrame},
                                             Seen{6'000'000'000, 60, 0, {}}));
      ASSERT_EQ(result.interfaces.size(), 1U);
      EXPECT_EQ(result.interfaces[0].name, "if0");
      EXPECT_EQ(result.interfaces[0].link_type, packet::LinkType::kLinuxSll);
      EXPECT_EQ(result.interfaces[0].snap_length_bytes, 65535U);
    }
  }
}

TEST(Pcap, WithoutPacketsEndsAtOnce) { EXPECT_TRUE(ReadWhole(PcapHeader({})).frames.empty()); }

TEST(Pcap, CarriesMicrosecondsBeyondASecondOver) {
  const Result result = ReadWhole(PcapHeader({}) + PcapRecord({}, 5, 1'250'000, kFrame));
  EXPECT_EQ(result.frames.at(0).time_ns, 6'250'000'000);
}

TEST(Pcap, TakesNegativeMicrosecondsOffTheSecond) {
  const Result result = ReadWhole(PcapHeader({}) + PcapRecord({}, 5, 0xfffc0000, kFrame));
  EXPECT_EQ(result.frames.at(0).time_ns, 5'000'000'000 - 262'144'000);
}

TEST(Pcap, TakesSecondsAsUnsignedSoThatTimeGoesOnAfter2038) {
  const Result result = ReadWhole(PcapHeader({}) + PcapRecord({}, 0xf0000000, 0, kFrame));
  EXPECT_EQ(result.frames.at(0).time_ns, 4'026'531'840'000'000'000);
}

TEST(Pcap, ToleratesMoreBytesThanSnapOrWireLength) {
  const PcapOptions options{.snap_length_bytes = 4};
  const Result result = ReadWhole(PcapHeader(options) + PcapRecord(options, 1, 0, kFrame, 3));
  EXPECT_THAT(result.frames, ElementsAre(Seen{1'000'000'000, 3, 0, kFrame}));
}

TEST(Pcap, IgnoresWhatIsSaidAboutFrameCheckSequences) {
  const Result result = ReadWhole(PcapHeader({.link_type = 0x14000001}));
  EXPECT_EQ(result.interfaces.at(0).link_type, packet::LinkType::kEthernet);
}

TEST(Pcap, OfOldVersionsHasItsLengthsTheOtherWayRound) {
  const Bytes record =
      Zeros(8) + Number(1500, 4, Order::kLittle) + Number(kFrame.size(), 4, Order::kLittle) + kFrame;
  for (const std::uint16_t minor : {std::uint16_t{2}, std::uint16_t{3}}) {
    const Result result = ReadWhole(PcapHeader({.minor_version = minor}) + record);
    EXPECT_THAT(result.frames, ElementsAre(Seen{0, 1500, 0, kFrame}));
  }
}

TEST(Pcap, CutAnywhereDeliversEverythingWholeAndSaysWhereItEnds) {
  const Bytes header = PcapHeader({});
  const Bytes file = header + PcapRecord({}, 1, 0, kFrame) + PcapRecord({}, 2, 0, kFrame);
  const std::size_t second = header.size() + 16 + kFrame.size();
  for (std::size_t length = second + 1; length < file.size(); ++length) {
    const bool in_header = length < second + 16;
    ExpectDamage(ReadAll(First(file, length)), 1, second,
                 in_header ? "record header" : "packet of 23 bytes ends after");
  }
  EXPECT_EQ(ReadAll(First(file, second + 20)).damage->reason, "packet of 23 bytes ends after 4");
}

TEST(Pcap, WithAnAbsurdLengthIsDamagedThere) {
  const Bytes record =
      Zeros(8) + Number(0x7fffffff, 4, Order::kLittle) + Number(60, 4, Order::kLittle) + Zeros(100);
  ExpectDamage(ReadAll(PcapHeader({}) + PcapRecord({}, 1, 0, kFrame) + record), 1, 24 + 16 + kFrame.size(),
               "packet of 2147483647 bytes, more than 16 MiB");
}

TEST(Reader, RefusesWhatIsNoCaptureFileAndSaysWhatToDo) {
  EXPECT_THAT(RefusalOf({}), HasSubstr("test.pcap is no capture file (it is empty)"));
  EXPECT_THAT(RefusalOf(Text("P")), HasSubstr("test.pcap is no capture file"));
  EXPECT_THAT(RefusalOf(Text("time,bytes\n1,2\n")), HasSubstr("editcap -F pcapng IN OUT"));
  EXPECT_THAT(RefusalOf(Number(0xa1b2cd34, 4, Order::kLittle) + Zeros(40)),
              HasSubstr("editcap -F pcap IN OUT"));
  EXPECT_THAT(RefusalOf(First(PcapHeader({}), 20)), HasSubstr("ends after 20 of 24 bytes"));
  EXPECT_THAT(RefusalOf(Number(0xa1b2c3d4, 4) + Number(3, 2) + Zeros(18)), HasSubstr("version 3.0"));
  EXPECT_THAT(RefusalOf(First(Section(Order::kBig), 20)), HasSubstr("section header is damaged"));
}

TEST(Reader, DoesNotCareInWhichPiecesBytesArrive) {
  const Bytes file = PcapHeader({}) + PcapRecord({}, 1, 0, kFrame) + PcapRecord({}, 2, 0, Zeros(3'000'000));
  const Result whole = ReadAll(file);
  ASSERT_EQ(whole.frames.size(), 2U);
  for (const std::size_t piece : {7U, 4096U, 1U << 20U}) {
    EXPECT_EQ(ReadFrom(std::make_unique<PiecewiseSource>(file, piece)).frames, whole.frames) << piece;
  }
}

TEST(Reader, KeepsFramesApartAcrossItsBuffer) {
  Bytes file = PcapHeader({});
  constexpr std::uint32_t kCount = 2'000;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    for (const std::byte byte : PcapRecord({}, i, 0, Number(i, 4) + Zeros(1400))) file.push_back(byte);
  }
  const Result result = ReadWhole(file);
  ASSERT_EQ(result.frames.size(), kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) EXPECT_EQ(result.frames[i].bytes, Number(i, 4) + Zeros(1400));
}

TEST(Reader, TakesAFailingSourceForDamageAfterWhatWasWhole) {
  const Bytes file = PcapHeader({}) + PcapRecord({}, 1, 0, kFrame);
  const auto failing = [&](std::size_t length) {
    return std::make_unique<PiecewiseSource>(First(file, length), 10, "the disk is gone");
  };
  ExpectDamage(ReadFrom(failing(file.size())), 1, file.size(), "the disk is gone");
  ExpectDamage(ReadFrom(failing(file.size() - 1)), 0, 24, "the disk is gone");
  EXPECT_THROW(Reader(failing(2), "test.pcap"), base::RuntimeError);
}

class Pcapng : public ::testing::TestWithParam<Order> {
 protected:
  Bytes Start(const InterfaceOptions& options = {}) const {
    return Section(GetParam()) + InterfaceBlock(GetParam(), options);
  }
  /// The time of one packet with `ticks`, of an interface with these options.
  std::int64_t TimeOf(std::uint64_t ticks, const InterfaceOptions& options) const {
    return ReadWhole(Start(options) + EnhancedPacket(GetParam(), 0, ticks, kFrame)).frames.at(0).time_ns;
  }
};

INSTANTIATE_TEST_SUITE_P(ByteOrder, Pcapng, ::testing::Values(Order::kBig, Order::kLittle),
                         [](const auto& order) { return order.param == Order::kBig ? "Big" : "Little"; });

TEST_P(Pcapng, GivesFramesOfItsInterfaces) {
  const Order order = GetParam();
  const Result result = ReadWhole(Start({.snap_length_bytes = 96, .name = "eth0"}) +
                                  InterfaceBlock(order, {.link_type = 101, .resolution = 9}) +
                                  EnhancedPacket(order, 0, 5'000'001, kFrame, 1500) +
                                  EnhancedPacket(order, 1, 7'000'000'002, Text("abcd")));
  EXPECT_THAT(result.frames,
              ElementsAre(Seen{5'000'001'000, 1500, 0, kFrame}, Seen{7'000'000'002, 4, 1, Text("abcd")}));
  ASSERT_EQ(result.interfaces.size(), 2U);
  EXPECT_EQ(result.interfaces[0].name, "eth0");
  EXPECT_EQ(result.interfaces[0].snap_length_bytes, 96U);
  EXPECT_EQ(result.interfaces[1].name, "if1");
  EXPECT_EQ(result.interfaces[1].link_type, packet::LinkType::kRaw);
}

TEST_P(Pcapng, CountsTimeInPowersOfTenAndTwoFromAnOffset) {
  EXPECT_EQ(TimeOf(1'500'000, {}), 1'500'000'000);
  EXPECT_EQ(TimeOf(3, {.resolution = std::uint8_t{0}}), 3'000'000'000);
  EXPECT_EQ(TimeOf(3'500, {.resolution = std::uint8_t{3}}), 3'500'000'000);
  EXPECT_EQ(TimeOf(1'999, {.resolution = std::uint8_t{12}}), 1);
  EXPECT_EQ(TimeOf(18'000'000'000'000'000'000U, {.resolution = std::uint8_t{19}}), 1'800'000'000);
  EXPECT_EQ(TimeOf(3, {.resolution = std::uint8_t{0x81}}), 1'500'000'000);
  EXPECT_EQ(TimeOf(std::uint64_t{5} << 61, {.resolution = std::uint8_t{0x80 | 62}}), 2'500'000'000);
  EXPECT_EQ(TimeOf(1, {.offset_s = 100}), 100'000'001'000);
  EXPECT_EQ(TimeOf(1'000'000, {.offset_s = -3}), -2'000'000'000);
}

TEST_P(Pcapng, TakesAnAbsurdlyLateTimeForANegativeOne) {
  EXPECT_EQ(TimeOf(static_cast<std::uint64_t>(-505'425'291), {}), -505'425'291'000);
  EXPECT_EQ(TimeOf(static_cast<std::uint64_t>(-5), {.resolution = std::uint8_t{9}, .offset_s = 1}),
            999'999'995);
}

TEST_P(Pcapng, IsDamagedWhereATimeStampCannotBeMeant) {
  const Bytes start = Start({.resolution = std::uint8_t{0}});
  ExpectDamage(ReadAll(start + EnhancedPacket(GetParam(), 0, 1ULL << 40, kFrame)), 0, start.size(),
               "time stamp");
  ExpectDamage(ReadAll(Start({.resolution = std::uint8_t{20}})), 0, 28, "can't be counted");
  ExpectDamage(ReadAll(Start({.offset_s = INT64_MAX})), 0, 28, "can't be counted");
}

TEST_P(Pcapng, ReadsSimpleAndObsoletePackets) {
  const Order order = GetParam();
  const Result result =
      ReadWhole(Start({.snap_length_bytes = 8}) + ObsoletePacket(order, 0, 5'000'000, kFrame) +
                SimplePacket(order, 1500, First(kFrame, 8)) + SimplePacket(order, 3, Text("abc")));
  EXPECT_THAT(result.frames,
              ElementsAre(Seen{5'000'000'000, 23, 0, kFrame}, Seen{5'000'000'000, 1500, 0, First(kFrame, 8)},
                          Seen{5'000'000'000, 3, 0, Text("abc")}));
}

TEST_P(Pcapng, SkipsBlocksItDoesNotKnow) {
  const Order order = GetParam();
  const Result result =
      ReadWhole(Start() + Block(order, 5, Zeros(20)) + Block(order, 0x80000001, Zeros(100'000)) +
                EnhancedPacket(order, 0, 1, kFrame) + Block(order, 4, {}));
  EXPECT_EQ(result.frames.size(), 1U);
}

TEST_P(Pcapng, GivesInterfacesOfEachSectionNewIndexes) {
  const Order other = GetParam() == Order::kBig ? Order::kLittle : Order::kBig;
  const Result result =
      ReadWhole(Start({.name = "a"}) + EnhancedPacket(GetParam(), 0, 1, kFrame) + Section(other) +
                InterfaceBlock(other, {.name = "b", .resolution = std::uint8_t{9}}) +
                EnhancedPacket(other, 0, 2, kFrame) + SimplePacket(other, 23, kFrame));
  EXPECT_THAT(result.frames,
              ElementsAre(Seen{1'000, 23, 0, kFrame}, Seen{2, 23, 1, kFrame}, Seen{2, 23, 1, kFrame}));
  EXPECT_EQ(result.interfaces.at(1).name, "b");
}

TEST_P(Pcapng, RefusesPacketsOfInterfacesThatTheirSectionDoesNotHave) {
  const Order order = GetParam();
  const Bytes start = Start() + Section(order);
  ExpectDamage(ReadAll(start + EnhancedPacket(order, 0, 1, kFrame)), 0, start.size(), "interface 0");
  ExpectDamage(ReadAll(start + SimplePacket(order, 23, kFrame)), 0, start.size(), "interface 0");
  ExpectDamage(ReadAll(Start() + EnhancedPacket(order, 1, 1, kFrame)), 0, Start().size(), "not declared");
}

TEST_P(Pcapng, CutAnywhereDeliversEverythingWhole) {
  const Order order = GetParam();
  const Bytes before = Start() + EnhancedPacket(order, 0, 1, kFrame);
  const Bytes file = before + EnhancedPacket(order, 0, 2, kFrame);
  for (std::size_t length = before.size() + 1; length < file.size(); ++length) {
    ExpectDamage(ReadAll(First(file, length)), 1, before.size(), "ends after");
  }
}

TEST_P(Pcapng, IsDamagedByBlocksOfNonsensicalSize) {
  const Order order = GetParam();
  for (const std::uint32_t length : {0U, 8U, 13U, 0xfffffff0U}) {
    const Bytes block = Number(5, 4, order) + Number(length, 4, order) + Zeros(100);
    ExpectDamage(ReadAll(Start() + block), 0, Start().size(),
                 "block of " + std::to_string(length) + " bytes");
  }
  const Bytes uneven = Number(5, 4, order) + Number(16, 4, order) + Zeros(4) + Number(20, 4, order);
  ExpectDamage(ReadAll(Start() + uneven), 0, Start().size(), "two lengths differ");
}

TEST_P(Pcapng, IsDamagedByPacketsLargerThanTheirBlock) {
  const Order order = GetParam();
  const Bytes body = Zeros(12) + Number(5, 4, order) + Number(5, 4, order) + Zeros(4);
  ExpectDamage(ReadAll(Start() + Block(order, 6, body)), 0, Start().size(),
               "packet of 5 bytes in a block of 36");
  ExpectDamage(ReadAll(Start() + Block(order, 6, Zeros(16))), 0, Start().size(), "packet block of 16 bytes");
  ExpectDamage(ReadAll(Start() + Block(order, 3, {})), 0, Start().size(), "without a length");
}

TEST_P(Pcapng, IsDamagedByOptionsLargerThanTheirBlock) {
  const Order order = GetParam();
  const Bytes block = Block(order, 1, Zeros(8) + Number(2, 2, order) + Number(40, 2, order) + Zeros(4));
  ExpectDamage(ReadAll(Section(order) + block), 0, 28, "option of 40 bytes where 4 are left");
}

TEST_P(Pcapng, KeepsNamesPrintable) {
  const auto name_of = [this](const std::string& name) {
    return ReadWhole(Start({.name = name})).interfaces.at(0).name;
  };
  EXPECT_EQ(name_of("Réseau 以太网"), "Réseau 以太网");
  EXPECT_EQ(name_of(std::string("eth0\0", 5)), "eth0");
  EXPECT_EQ(name_of("a\nb\x80\xc0\xaf"
                    "c\xe4"),
            "a?b???c?");
  EXPECT_EQ(name_of(std::string(1000, 'x')), std::string(255, 'x'));
}

}  // namespace
}  // namespace flowcast::capfile
