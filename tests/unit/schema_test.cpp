// Which features there are, and how they are chosen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "libs/base/error.h"
#include "libs/feature/schema.h"
#include "libs/feature/sequence_builder.h"
#include "tests/support/stream.h"

namespace flowcast::feature {
namespace {

using namespace std::chrono_literals;
using support::At;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(SchemaTest, TheHashIsPartOfTheFormatAndNeverChangesUnnoticed) {
  EXPECT_EQ(Schema::Default().hash(), 8471759189513498115ULL);
  EXPECT_THAT(Schema::Default().columns(), SizeIs(25));
}

TEST(SchemaTest, FeaturesAreFoundByTheirNames) {
  EXPECT_EQ(FindFeature("bytes"), kBytes);
  EXPECT_EQ(FindFeature("weekday_cos"), kWeekdayCos);
  EXPECT_EQ(FindFeature("load"), std::nullopt);
}

std::vector<std::string> NamesOf(const Schema& schema) {
  std::vector<std::string> names;
  for (const Column& column : schema.columns()) names.push_back(column.name);
  return names;
}

TEST(SchemaTest, PacketsAndBytesAreAlwaysTheFirstColumns) {
  EXPECT_THAT(NamesOf(Schema::Parse("")), ElementsAre("packets", "bytes"));
  EXPECT_THAT(NamesOf(Schema::Parse("tcp_rtt,bytes,syn")), ElementsAre("packets", "bytes", "tcp_rtt", "syn"));
}

TEST(SchemaTest, GroupsStandForTheirFeaturesOnce) {
  EXPECT_EQ(Schema::Parse("default"), Schema::Default());
  EXPECT_THAT(Schema::Parse("all").columns(), SizeIs(kCatalogueCount));
  EXPECT_THAT(NamesOf(Schema::Parse("casts,multicast_share")),
              ElementsAre("packets", "bytes", "broadcast_share", "multicast_share"));
}

TEST(SchemaTest, ItsTextMakesTheSameSchemaAndTheDefaultHasNone) {
  EXPECT_EQ(Schema::Default().Text(), "");
  const Schema schema = Schema::Parse("gaps,up=uplink_bytes/bytes,lost=syn-syn_ack");
  EXPECT_EQ(Schema::Parse(schema.Text()), schema);
  EXPECT_EQ(
      schema.Text(),
      "packets,bytes,gap_mean,jitter,burst_share,gap_p50,gap_p95,up=uplink_bytes/bytes,lost=syn-syn_ack");
}

TEST(SchemaTest, EveryDifferenceChangesTheHash) {
  std::set<std::uint64_t> hashes;
  const std::string texts[] = {"",          "default",   "syn,fin",   "fin,syn",
                               "x=syn/fin", "x=fin/syn", "x=syn-fin", "y=syn-fin"};
  for (const std::string& text : texts) hashes.insert(Schema::Parse(text).hash());
  EXPECT_THAT(hashes, SizeIs(std::size(texts)));
}

TEST(SchemaTest, DerivedFeaturesAreComputedAndNothingIsDividedByNothing) {
  FeatureValues values{};
  values[kSyn] = 6;
  values[kSynAck] = 4;
  const Schema schema = Schema::Parse("a=syn/syn_ack,b=syn/fin,c=syn_ack-syn,d=fin/fin");
  EXPECT_THAT(schema.Select(values), ElementsAre(0, 0, 1.5, 0, -2, 0));
  EXPECT_EQ(schema.columns()[2].unit, "ratio");
  EXPECT_EQ(schema.columns()[2].transform, Transform::kLog1p);
  EXPECT_EQ(schema.columns()[4].transform, Transform::kLinear);
}

TEST(SchemaTest, WhatIsNoSchemaIsRefusedWithARemedy) {
  const std::pair<const char*, const char*> refused[] = {{"load", "no feature or group 'load'"},
                                                         {"x=load/syn", "no feature 'load'"},
                                                         {"x=syn", "neither"},
                                                         {"x=syn+fin", "neither"},
                                                         {"bytes=syn/fin", "no name"},
                                                         {"tcp=syn/fin", "no name"},
                                                         {"X=syn/fin", "no name"},
                                                         {"=syn/fin", "no name"},
                                                         {"x=syn-bytes", "only the same units"},
                                                         {"x=syn/fin,x=fin/syn", "two formulas"},
                                                         {",", "no feature or group ''"},
                                                         {"x=syn/fin/rst", "no feature 'fin/rst'"}};
  for (const auto& [text, why] : refused) {
    try {
      Schema::Parse(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const base::ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(why)) << text;
    }
  }
}

TEST(SchemaTest, EveryFeatureIsExplained) {
  for (const Feature& feature : Catalogue()) {
    EXPECT_FALSE(feature.formula.empty() || feature.range.empty() || feature.empty.empty() ||
                 feature.source.empty())
        << feature.name;
    EXPECT_THAT(Explain(Schema::Parse("all")), HasSubstr(std::string(feature.formula)));
  }
  EXPECT_THAT(Explain(Schema::Parse("x=syn/fin")),
              HasSubstr("| 2 | `x` | ratio | syn/fin; 0 where that divides by 0 |"));
}

TEST(SchemaTest, SequencesHaveTheColumnsOfTheirSchema) {
  const Schema schema = Schema::Parse("tcp_rtt,lost=syn-syn_ack");
  SequenceBuilder builder(2, schema);
  std::optional<Sequence> sequence;
  for (int i = 0; i < 2; ++i) {
    Window window{.link = "l", .start = At(5 * i), .length = 5s, .schema_hash = schema.hash()};
    window.features = {10, 1000, 0.01, -3.0 * i};
    sequence = builder.Add(window);
  }
  ASSERT_TRUE(sequence);
  EXPECT_THAT(sequence->last, ElementsAre(10, 1000, 0.01, -3));
  EXPECT_THAT(sequence->values, SizeIs(2 * 4));
  EXPECT_EQ(sequence->centre[3], -1.5);
}

}  // namespace
}  // namespace flowcast::feature
