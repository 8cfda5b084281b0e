// What earlier versions wrote is read by this one; tools/keep_records kept it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "libs/wire/alert_wire.h"
#include "libs/wire/features_state_wire.h"
#include "libs/wire/forecast_wire.h"
#include "libs/wire/inference_state_wire.h"
#include "libs/wire/model_wire.h"
#include "libs/wire/packet_wire.h"
#include "libs/wire/window_wire.h"

namespace flowcast::wire {
namespace {

namespace fs = std::filesystem;

std::string ContentOf(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

class RecordedRecordsTest : public testing::TestWithParam<std::string> {
 protected:
  std::string Kept(const std::string& name) const {
    const std::string content = ContentOf(fs::path(FLOWCAST_RECORDS) / GetParam() / name);
    EXPECT_FALSE(content.empty()) << name << " is missing";
    return content;
  }
  /// It comes out again as it was, and a field that a later version may add does not matter.
  template <typename Decode, typename Encode>
  void ExpectRead(const std::string& kind, const Decode& decode, const Encode& encode) const {
    constexpr std::string_view kUnknownField = "\xf2\xff\x3f\x05later";  // number 131070, a text
    const std::string bytes = Kept(kind + ".bin");
    const auto now = decode(bytes);
    ASSERT_TRUE(now) << kind << ": " << ToString(now.error());
    EXPECT_EQ(encode(*now), bytes) << kind;
    const auto extended = decode(bytes + std::string(kUnknownField));
    ASSERT_TRUE(extended) << kind << " with another field: " << ToString(extended.error());
    EXPECT_EQ(encode(*extended), bytes) << kind;
  }
};

TEST_P(RecordedRecordsTest, EveryMessageIsReadAndComesOutAsItWas) {
  const auto encode = [](const auto& message) { return Encode(message); };
  ExpectRead("packets", DecodePacketBatch, encode);
  ExpectRead("windows", DecodeWindow, encode);
  ExpectRead("sequences", DecodeSequence, encode);
  ExpectRead("forecasts", DecodeForecast, encode);
  ExpectRead("model", DecodeModel, encode);
  ExpectRead("current-model", DecodeCurrentModel, EncodeCurrentModel);
  ExpectRead("features-progress", DecodeFeaturesProgress, encode);
  ExpectRead("features-link", DecodeLinkSnapshot, encode);
  ExpectRead("inference-progress", DecodeInferenceProgress, encode);
  ExpectRead("inference-link", DecodeInferenceLink, encode);
}

TEST_P(RecordedRecordsTest, AnAlertIsReadAlsoWithMembersThatCameLater) {
  std::string text = Kept("alert.json");
  const auto alert = DecodeAlertJson(text);
  ASSERT_TRUE(alert);
  text.insert(1, R"("later":[1],)");
  const auto extended = DecodeAlertJson(text);
  ASSERT_TRUE(extended);
  EXPECT_EQ(EncodeJson(*extended), EncodeJson(*alert));
}

std::vector<std::string> Versions() {
  std::vector<std::string> versions;
  for (const auto& entry : fs::directory_iterator(FLOWCAST_RECORDS))
    versions.push_back(entry.path().filename());
  return versions;
}

INSTANTIATE_TEST_SUITE_P(Versions, RecordedRecordsTest, testing::ValuesIn(Versions()),
                         [](const auto& version) { return "OfVersion" + std::to_string(version.index); });

}  // namespace
}  // namespace flowcast::wire
