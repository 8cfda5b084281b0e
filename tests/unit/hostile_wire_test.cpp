// Messages that somebody wrote who means harm: refused, at no price.
#include <gtest/gtest.h>

#include "libs/base/random.h"
#include "libs/wire/alert_wire.h"
#include "libs/wire/model_wire.h"
#include "tests/support/fired_alerts.h"
#include "tests/support/messages.h"

namespace flowcast::wire {
namespace {

TEST(HostileModelTest, NamesThatWouldBePathsAreRefused) {
  base::Random random(3);
  const model_store::Model good{support::AnyManifest(random), {{"lstm", "weights"}}};
  ASSERT_TRUE(DecodeModel(Encode(good)));
  for (const std::string name : {"../../etc/cron.d", "/etc", ".", "a/b", "\x1b]0;owned\x07"}) {
    model_store::Model by_name = good, by_version = good, by_network = good;
    by_name.manifest.name = name;
    by_version.manifest.version = name;
    by_network.networks[name] = "weights";
    for (const model_store::Model& model : {by_name, by_version, by_network}) {
      const auto decoded = DecodeModel(Encode(model));
      ASSERT_FALSE(decoded) << name << " was taken";
      EXPECT_EQ(decoded.error(), WireError::kInconsistent);
    }
    EXPECT_FALSE(DecodeCurrentModel(EncodeCurrentModel(name))) << name << " was taken";
  }
}

TEST(HostileAlertTest, JsonThatIsNestedWithoutEndIsRefused) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string opened(kDepth, '['), closed(kDepth, ']');
  for (const std::string& text :
       {opened, opened + closed, R"({"version":1,"labels":)" + opened + closed + "}",
        R"({"version":1,"fingerprint":)" + opened + closed + "}"}) {
    EXPECT_FALSE(DecodeAlertJson(text));
  }
}

TEST(HostileAlertTest, NumbersThatAreNoTimesAreRefused) {
  const std::string good = EncodeJson(support::FiringAlert());
  ASSERT_TRUE(DecodeAlertJson(good));
  const auto with = [&good](const std::string& name, const std::string& value) {
    const std::size_t begin = good.find("\"" + name + "\":") + name.size() + 3;
    return std::string(good).replace(begin, good.find(',', begin) - begin, value);
  };
  ASSERT_TRUE(DecodeAlertJson(with("window_ns", "60000000000")));
  for (const std::string name :
       {"window_ns", "started_at_ns", "fired_at_ns", "made_at_ns", "target_start_ns"}) {
    for (const std::string value : {"1e300", "-1e300", "1.5", "9223372036854775807", "-9223372036854775808",
                                    "18446744073709551615", "4611686018427387904", "\"5\"", "null", "true"}) {
      EXPECT_FALSE(DecodeAlertJson(with(name, value))) << name << " " << value;
    }
  }
  for (const std::string value : {"0", "-1", "-1000000000"})
    EXPECT_FALSE(DecodeAlertJson(with("window_ns", value))) << value;
  for (const std::string value : {"1e300", "1.5", "2147483648", "18446744073709551615", "null"})
    EXPECT_FALSE(DecodeAlertJson(with("horizon_windows", value))) << value;
}

}  // namespace
}  // namespace flowcast::wire
