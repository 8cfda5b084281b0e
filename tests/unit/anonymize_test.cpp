// anonymize: the published vectors, the properties of a prefix-preserving mapping, and key files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "libs/anonymize/key.h"
#include "libs/anonymize/prefix_preserving.h"
#include "libs/base/error.h"
#include "libs/base/random.h"

namespace flowcast::anonymize {
namespace {

using base::FormatIpAddress;
using base::IpAddress;
using base::ParseIpAddress;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Of the sample program that Crypto-PAn's authors distribute.
constexpr Key kSampleKey{{21,  34,  23,  141, 51,  164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
                          216, 152, 143, 131, 121, 121, 101, 39,  98, 87, 76, 45, 42, 132, 34,  2}};

std::string Mapped(PrefixPreserving& mapping, const std::string& address) {
  return FormatIpAddress(mapping.Map(ParseIpAddress(address)));
}

int Bit(const IpAddress& address, int index) {
  return address.bytes[static_cast<std::size_t>(index / 8)] >> (7 - index % 8) & 1;
}

int CommonPrefix(const IpAddress& a, const IpAddress& b) {
  const int bits = a.version == 4 ? 32 : 128;
  int common = 0;
  while (common < bits && Bit(a, common) == Bit(b, common)) ++common;
  return common;
}

IpAddress RandomAddress(base::Random& random, std::uint8_t version) {
  IpAddress address{.version = version};
  for (std::size_t i = 0; i < (version == 4 ? 4U : 16U); ++i) {
    address.bytes[i] = static_cast<std::uint8_t>(random.Below(256));
  }
  return address;
}

/// Shares exactly the first `common` bits; the rest is random.
IpAddress Neighbour(const IpAddress& address, int common, base::Random& random) {
  const int bits = address.version == 4 ? 32 : 128;
  IpAddress other = address;
  for (int i = common; i < bits; ++i) {
    if (i == common || random.Below(2) == 1) {
      other.bytes[static_cast<std::size_t>(i / 8)] ^= static_cast<std::uint8_t>(0x80 >> i % 8);
    }
  }
  return other;
}

TEST(PrefixPreserving, MapsAsThePublishedSampleDoes) {
  PrefixPreserving mapping(kSampleKey, Special::kMapped);
  EXPECT_EQ(Mapped(mapping, "128.11.68.132"), "135.242.180.132");
  EXPECT_EQ(Mapped(mapping, "129.118.74.4"), "134.136.186.123");
  EXPECT_EQ(Mapped(mapping, "130.132.252.244"), "133.68.164.234");
  EXPECT_EQ(Mapped(mapping, "141.223.7.43"), "141.167.8.160");
  EXPECT_EQ(Mapped(mapping, "141.233.145.108"), "141.129.237.235");
  EXPECT_EQ(Mapped(mapping, "152.163.225.39"), "151.140.114.167");
  EXPECT_EQ(Mapped(mapping, "156.29.3.236"), "147.225.12.42");
  EXPECT_EQ(Mapped(mapping, "165.247.96.84"), "162.9.99.234");
  EXPECT_EQ(Mapped(mapping, "24.0.250.221"), "100.15.198.226");
  EXPECT_EQ(Mapped(mapping, "0.0.0.0"), "120.255.240.1");
  EXPECT_EQ(Mapped(mapping, "255.255.255.255"), "206.120.97.255");
}

// Computed with yacryptopan 1.0.2, an implementation by others.
TEST(PrefixPreserving, MapsIpv6AsOtherImplementationsDo) {
  PrefixPreserving mapping(kSampleKey, Special::kMapped);
  EXPECT_EQ(Mapped(mapping, "::1"), "78ff:f001:9fc0:20df:8380:b1f1:704:ed");
  EXPECT_EQ(Mapped(mapping, "::2"), "78ff:f001:9fc0:20df:8380:b1f1:704:ef");
  EXPECT_EQ(Mapped(mapping, "2001:db8::1"), "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e");
  EXPECT_EQ(Mapped(mapping, "fe80::1"), "cf7f:c0e:1fc3:da1c:70:b18e:f7f3:2101");
  EXPECT_EQ(Mapped(mapping, "ff02::fb"), "cef2:fc0c:1fff:dffe:ff8f:de7f:10f9:3fb8");
}

class MappingTest : public ::testing::TestWithParam<std::tuple<int, Special>> {
 protected:
  std::uint8_t version() const { return static_cast<std::uint8_t>(std::get<0>(GetParam())); }

  PrefixPreserving mapping_{kSampleKey, std::get<1>(GetParam())};
};

TEST_P(MappingTest, KeepsTheLengthOfEveryCommonPrefix) {
  base::Random random(7);
  const int bits = version() == 4 ? 32 : 128;
  for (int common = 0; common <= bits; ++common) {
    for (int i = 0; i < 20; ++i) {
      const IpAddress address = RandomAddress(random, version());
      const IpAddress other = Neighbour(address, common, random);
      ASSERT_EQ(CommonPrefix(mapping_.Map(address), mapping_.Map(other)), common)
          << FormatIpAddress(address) << " and " << FormatIpAddress(other);
    }
  }
}

TEST_P(MappingTest, IsOneToOneWithinEveryNetwork) {
  base::Random random(8);
  for (int i = 0; i < 8; ++i) {
    IpAddress address = RandomAddress(random, version());
    std::set<IpAddress> seen;
    for (int last = 0; last < 256; ++last) {
      address.bytes[version() == 4 ? 3 : 15] = static_cast<std::uint8_t>(last);
      seen.insert(mapping_.Map(address));
    }
    EXPECT_EQ(seen.size(), 256U);
    EXPECT_EQ(CommonPrefix(*seen.begin(), *seen.rbegin()), version() == 4 ? 24 : 120);
  }
}

TEST_P(MappingTest, GivesTheSameFromASmallCacheAsWithoutOne) {
  PrefixPreserving small(kSampleKey, std::get<1>(GetParam()), 4);
  base::Random random(9);
  std::vector<IpAddress> addresses;
  for (int i = 0; i < 50; ++i) addresses.push_back(RandomAddress(random, version()));
  for (int i = 0; i < 500; ++i) {
    const IpAddress& address = addresses[random.Below(addresses.size())];
    ASSERT_EQ(small.Map(address), mapping_.Compute(address));
  }
}

INSTANTIATE_TEST_SUITE_P(VersionsAndModes, MappingTest,
                         ::testing::Combine(::testing::Values(4, 6),
                                            ::testing::Values(Special::kKept, Special::kMapped)));

TEST(PrefixPreserving, KeepsMulticastAndBroadcastWhatTheyAreAndNothingElseBecomesThem) {
  const base::CidrSet special({"224.0.0.0/4", "255.255.255.255", "ff00::/8"});
  PrefixPreserving mapping(kSampleKey);
  EXPECT_EQ(Mapped(mapping, "255.255.255.255"), "255.255.255.255");
  base::Random random(10);
  for (int i = 0; i < 5'000; ++i) {
    const IpAddress address = RandomAddress(random, i % 2 == 0 ? 4 : 6);
    ASSERT_EQ(special.Contains(mapping.Map(address)), special.Contains(address)) << FormatIpAddress(address);
  }
  for (const char* address : {"224.0.0.251", "239.255.255.250", "ff02::1", "ff02::fb", "ff0e::1"}) {
    EXPECT_TRUE(special.Contains(mapping.Map(ParseIpAddress(address)))) << address;
    EXPECT_NE(Mapped(mapping, address), address) << "the group is hidden";
  }
}

TEST(PrefixPreserving, UnveilsNoMoreThanTheClassOfAnIpv4Address) {
  PrefixPreserving kept(kSampleKey, Special::kKept);
  PrefixPreserving plain(kSampleKey, Special::kMapped);
  // Only the first bits, which are shown as they are, differ from Crypto-PAn; the rest is as it makes it.
  const auto rest_is_the_same = [&](const std::string& text, int shown) {
    const IpAddress address = ParseIpAddress(text);
    const IpAddress a = kept.Map(address);
    const IpAddress b = plain.Map(address);
    for (int i = 0; i < shown; ++i) EXPECT_EQ(Bit(a, i), Bit(address, i)) << text;
    for (int i = shown; i < (address.version == 4 ? 32 : 128); ++i) EXPECT_EQ(Bit(a, i), Bit(b, i)) << text;
  };
  rest_is_the_same("10.1.2.3", 1);
  rest_is_the_same("127.0.0.1", 1);
  rest_is_the_same("0.0.0.0", 1);
  rest_is_the_same("169.254.1.1", 2);
  rest_is_the_same("192.168.1.1", 3);
  rest_is_the_same("224.0.0.251", 4);
  rest_is_the_same("2001:db8::1", 1);
  rest_is_the_same("::1", 1);
  EXPECT_NE(kept.Map(ParseIpAddress("192.168.1.1")), plain.Map(ParseIpAddress("192.168.1.1")));
}

TEST(PrefixPreserving, LeavesNoAddressNone) {
  PrefixPreserving mapping(kSampleKey);
  EXPECT_EQ(mapping.Map(IpAddress{}), IpAddress{});
}

TEST(PrefixPreserving, DependsOnBothHalvesOfTheKey) {
  for (const std::size_t changed : {std::size_t{0}, std::size_t{31}}) {
    Key key = kSampleKey;
    key.bytes[changed] ^= 1;
    PrefixPreserving one(kSampleKey);
    PrefixPreserving other(key);
    EXPECT_NE(Mapped(one, "192.0.2.1"), Mapped(other, "192.0.2.1"));
  }
}

TEST(PrefixPreserving, IsCalledAsAFunction) {
  PrefixPreserving mapping(kSampleKey);
  const std::function<IpAddress(const IpAddress&)> map = std::ref(mapping);
  EXPECT_EQ(map(ParseIpAddress("192.0.2.1")), mapping.Compute(ParseIpAddress("192.0.2.1")));
}

class KeyFileTest : public ::testing::Test {
 protected:
  ~KeyFileTest() override { std::filesystem::remove_all(path_); }

  void Store(const std::string& content, mode_t mode = 0600) const {
    std::ofstream(path_, std::ios::binary) << content;
    chmod(path_.c_str(), mode);
  }
  std::string Refusal() const {
    try {
      LoadKey(path_);
    } catch (const base::ConfigError& error) {
      return error.what();
    }
    return "";
  }

  std::string path_ = ::testing::TempDir() + "flowcast-key-" +
                      ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(KeyFileTest, IsReadRaw) {
  // White space and zeros are bytes like others.
  std::string raw(32, '\n');
  raw[3] = '\0';
  raw[31] = '\xff';
  Store(raw, 0400);
  const Key key = LoadKey(path_);
  EXPECT_TRUE(std::equal(raw.begin(), raw.end(), key.bytes.begin(),
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
}

TEST_F(KeyFileTest, IsReadAsDigits) {
  for (const char* end : {"", "\n", "\r\n"}) {
    Store(std::string("1522178d33a4cf80130a5b1649907d10D8988F83797965276257") + "4c2d2a842202" + end);
    EXPECT_EQ(LoadKey(path_).bytes, kSampleKey.bytes);
  }
}

TEST_F(KeyFileTest, OfAnotherSizeIsRefusedWithoutTellingIt) {
  for (const std::string& content :
       {std::string(), std::string(31, 'k'), std::string(33, 'k'), std::string(63, 'a'), std::string(64, 'k'),
        std::string(65, 'a'), std::string(200, 'a'), std::string(64, 'a') + std::string(200, '\n')}) {
    Store(content);
    EXPECT_THAT(Refusal(),
                AllOf(HasSubstr("neither 32 bytes nor 64 hexadecimal digits"),
                      HasSubstr("head -c 32 /dev/urandom"), Not(HasSubstr("kkk")), Not(HasSubstr("aaa"))));
  }
}

TEST_F(KeyFileTest, OpenToOthersIsRefused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U, 0777U}) {
    Store(std::string(32, 'k'), mode);
    EXPECT_EQ(Refusal(), "key file " + path_ + " is open to its group or to everybody; chmod 600 " + path_);
  }
}

TEST_F(KeyFileTest, OfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Store(std::string(32, 'k'));
  ASSERT_EQ(chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_THAT(Refusal(), HasSubstr("belongs to another user, who could change it; chown 0 "));
}

TEST_F(KeyFileTest, ThatIsNoFileIsRefusedAtOnce) {
  EXPECT_THAT(Refusal(),
              HasSubstr("does not exist; make one with: (umask 077; head -c 32 /dev/urandom > " + path_));
  std::filesystem::create_directory(path_);
  EXPECT_THAT(Refusal(), HasSubstr("is no regular file"));
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Refusal(), HasSubstr("is no regular file"));
}

}  // namespace
}  // namespace flowcast::anonymize
