// Windows as JSON: what is in it, that no value loses a bit, and what comes of hostile names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libs/feature/accumulator.h"
#include "libs/wire/window_json.h"
#include "libs/wire/window_wire.h"
#include "tests/support/messages.h"

namespace flowcast::wire {
namespace {

using nlohmann::json;
using testing::ElementsAre;

const std::vector<NamedFeature>& Features() {
  static const auto features = AllFeatures(feature::Schema::Default());
  return features;
}

json Encoded(const feature::Window& window) { return json::parse(EncodeJson(window, Features())); }

TEST(WindowJsonTest, EveryValueReadsBackAsItWas) {
  base::Random random(11);
  for (int i = 0; i < 200; ++i) {
    const feature::Window window = support::AnyWindow(random);
    const json read = Encoded(window);
    EXPECT_EQ(read["version"], 1);
    EXPECT_EQ(read["link"], window.link);
    EXPECT_EQ(read["start_ns"], base::ToUnixNanoseconds(window.start));
    EXPECT_EQ(read["start"], base::FormatTime(window.start));
    EXPECT_EQ(read["window_ns"], window.length.count());
    EXPECT_EQ(read["partial"], window.partial);
    EXPECT_EQ(read["packets"], window.packets);
    EXPECT_EQ(read["bytes"], window.bytes);
    EXPECT_EQ(read["late_packets"], window.late_packets);
    EXPECT_EQ(std::stoull(read["schema_hash"].get<std::string>(), nullptr, 16), window.schema_hash);
    ASSERT_EQ(read["features"].size(), window.features.size());
    for (const NamedFeature& feature : Features())
      EXPECT_EQ(read["features"][feature.name].get<double>(), window.features[feature.place]);
  }
}

TEST(WindowJsonTest, ValuesOfAnySizeReadBack) {
  base::Random random(1);
  feature::Window window = support::AnyWindow(random);
  for (const double value : {0.1, 1e-300, 1e300, 5e-324, 9007199254740993.0, 1.0 / 3, -0.0}) {
    window.features[2] = value;
    EXPECT_EQ(Encoded(window)["features"]["size_mean"].get<double>(), value);
  }
}

TEST(WindowJsonTest, EstimatesAreNamed) {
  base::Random random(1);
  feature::Window window = support::AnyWindow(random);
  window.approximate = 0;
  EXPECT_THAT(Encoded(window)["approximate"], testing::IsEmpty());
  window.approximate = feature::kFlowsApproximate | feature::kPercentilesApproximate;
  EXPECT_THAT(Encoded(window)["approximate"], ElementsAre("percentiles", "flows"));
}

TEST(WindowJsonTest, WhatIsNoUtf8InALinksNameIsReplaced) {
  base::Random random(1);
  feature::Window window = support::AnyWindow(random);
  window.link = "demo/\xff\"\n";
  EXPECT_EQ(Encoded(window)["link"], "demo/\xef\xbf\xbd\"\n");
}

TEST(WindowJsonTest, FeaturesComeInTheOrderTheyAreAskedFor) {
  base::Random random(1);
  const std::string text = EncodeJson(support::AnyWindow(random), {{"flows", 16}, {"packets", 0}});
  EXPECT_LT(text.find("\"flows\""), text.rfind("\"packets\""));
  EXPECT_EQ(json::parse(text)["features"].size(), 2u);
}

TEST(WindowJsonTest, AllFeaturesAreTheColumnsOfTheSchema) {
  const auto features = AllFeatures(feature::Schema::Parse("jitter,up=uplink_bytes/bytes"));
  EXPECT_THAT(features, ElementsAre(NamedFeature{"packets", 0}, NamedFeature{"bytes", 1},
                                    NamedFeature{"jitter", 2}, NamedFeature{"up", 3}));
}

TEST(WindowSchemaTest, AWindowTellsWhatItsFeaturesAre) {
  const auto schema = feature::Schema::Parse("jitter,up=uplink_bytes/bytes");
  for (const feature::Schema& one : {schema, feature::Schema::Default()}) {
    base::Random random(1);
    feature::Window window = support::AnyWindow(random);
    window.schema_hash = one.hash();
    window.features.assign(one.size(), 1.0);
    const auto read = DecodeWindowSchema(Encode(window, one.Text()));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, one);
  }
}

TEST(WindowSchemaTest, ASequenceTellsItTooWithItsNormalization) {
  const auto schema = feature::Schema::Parse("jitter,up=uplink_bytes/bytes", feature::Scaling::kMinMax);
  base::Random random(1);
  feature::Sequence sequence = support::AnySequence(random);
  sequence.scaling = feature::Scaling::kMinMax;
  sequence.schema_hash = schema.sequence_hash();
  sequence.last.assign(schema.size(), 1.0);
  const auto read = DecodeSequenceSchema(Encode(sequence, schema.Text()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, schema);
  EXPECT_EQ(DecodeSequenceSchema(Encode(sequence, "")).error(), WireError::kInconsistent);
  sequence.scaling = feature::Scaling::kRobust;
  EXPECT_EQ(DecodeSequenceSchema(Encode(sequence, schema.Text())).error(), WireError::kInconsistent);
  EXPECT_EQ(DecodeSequenceSchema("no protobuf").error(), WireError::kNotOurs);
}

TEST(WindowSchemaTest, WhatDoesNotFitTheWindowIsRefused) {
  const auto schema = feature::Schema::Parse("flows");
  base::Random random(1);
  feature::Window window = support::AnyWindow(random);
  window.schema_hash = schema.hash();
  window.features.assign(schema.size(), 1.0);
  ASSERT_TRUE(DecodeWindowSchema(Encode(window, schema.Text())));
  EXPECT_EQ(DecodeWindowSchema("no protobuf").error(), WireError::kNotOurs);
  EXPECT_EQ(DecodeWindowSchema(Encode(window, "")).error(), WireError::kInconsistent);
  EXPECT_EQ(DecodeWindowSchema(Encode(window, "sources")).error(), WireError::kInconsistent);
  EXPECT_EQ(DecodeWindowSchema(Encode(window, "flows,=")).error(), WireError::kInconsistent);
  window.features.push_back(1.0);
  EXPECT_EQ(DecodeWindowSchema(Encode(window, schema.Text())).error(), WireError::kInconsistent);
}

}  // namespace
}  // namespace flowcast::wire
