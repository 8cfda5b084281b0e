// What a network is asked and answers: shapes, targets, and the way back to raw units.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "libs/base/error.h"
#include "libs/training/example_store.h"
#include "libs/training/objection.h"
#include "libs/training/predictors.h"
#include "tests/support/fake_network.h"
#include "tests/support/sequences.h"

namespace flowcast::training {
namespace {

using namespace std::chrono_literals;
using feature::Sequence;
using support::At;
using support::MakeSequences;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

TEST(AppendContextTest, TellsHowFarTheUsualLoadIsAboveTheLastWhereItIsKnown) {
  Sequence sequence = MakeSequences("a", {10, 30, 20}).at(0);
  const Shape shape = ShapeOf(sequence, {feature::kBytes}, {1, 2, 4}, {0.5});
  std::vector<float> context;
  AppendContext(sequence, shape, context);
  EXPECT_THAT(context, testing::ElementsAre(0, 0, 0, 0, 0, 0));
  sequence.usual = {{}, {.packets = 7, .bytes = 3000, .days = 3}, {.packets = 7, .bytes = 2000, .days = 0}};
  context.clear();
  AppendContext(sequence, shape, context);
  const double above = std::log(3001.0 / 2001.0) / sequence.scale[feature::kBytes];
  EXPECT_THAT(context,
              testing::ElementsAre(testing::FloatNear(static_cast<float>(above), 1e-5F), 1, 0, 0, 0, 0));
}

TEST(TargetTest, AnyFeatureOfTheSchemaCanBeForecast) {
  const feature::Schema schema = feature::Schema::Parse("packets,bytes,jitter");
  EXPECT_EQ(Target(schema, "jitter").column, 2u);
  try {
    Target(schema, "load");
    FAIL() << "there is no load";
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("there are: packets, bytes, jitter"));
  }
}

TEST(ShapeTest, WhatCannotBeIsRefused) {
  const Shape good{.length = 3, .features = 2, .horizons = {1, 2}, .levels = {0.1, 0.5}};
  EXPECT_NO_THROW(CheckShape(good));
  for (const auto& spoil : std::vector<std::function<void(Shape&)>>{
           [](Shape& shape) { shape.length = 0; }, [](Shape& shape) { shape.targets = {2}; },
           [](Shape& shape) { shape.targets = {}; },
           [](Shape& shape) {
             shape.horizons = {2, 1};
           },
           [](Shape& shape) { shape.horizons = {0}; },
           [](Shape& shape) {
             shape.levels = {0.1, 0.9};
           },
           [](Shape& shape) {
             shape.levels = {0.5, 0.1};
           },
           [](Shape& shape) { shape.context = -1; }}) {
    Shape shape = good;
    spoil(shape);
    EXPECT_THROW(CheckShape(shape), base::ConfigError);
  }
}

TEST(ObjectionTest, ANetworkMustBeLikeItsManifestAndAskedInOurWay) {
  const feature::Schema& schema = feature::Schema::Default();
  const model_store::Manifest manifest{
      .target = "packets", .horizons = {1, 3}, .sequence_length = 12, .further = {{.name = "bytes"}}};
  const Shape fitting{.length = 12,
                      .features = static_cast<std::int64_t>(schema.size()),
                      .targets = {feature::kPackets, feature::kBytes},
                      .horizons = {1, 3}};
  const auto objection_with = [&](const std::function<void(Shape&)>& change) {
    Shape shape = fitting;
    change(shape);
    return ObjectionTo(shape, manifest, schema).value_or("none");
  };
  EXPECT_EQ(objection_with([](Shape&) {}), "none");
  EXPECT_EQ(objection_with([](Shape& shape) { shape.context = 8; }), "none");
  EXPECT_EQ(objection_with([](Shape& shape) { shape.horizons = {1, 2, 3}; }), "none") << "it says more";
  for (const std::int64_t context : {1, 4, 7, 9, 1'000'000}) {
    EXPECT_THAT(objection_with([&](Shape& shape) { shape.context = context; }),
                HasSubstr("or 8 for its targets"));
  }
  EXPECT_THAT(objection_with([](Shape& shape) { shape.length = 13; }), HasSubstr("another shape"));
  EXPECT_THAT(objection_with([](Shape& shape) { --shape.features; }), HasSubstr("another shape"));
  EXPECT_THAT(objection_with([](Shape& shape) { shape.targets = {0}; }), HasSubstr("no answer"));
  EXPECT_THAT(objection_with([](Shape& shape) { shape.horizons = {1, 2}; }), HasSubstr("no answer"));
  model_store::Manifest foreign = manifest;
  foreign.target = "dreams";
  EXPECT_THAT(ObjectionTo(fitting, foreign, schema).value_or("none"), HasSubstr("no answer"));
}

TEST(ToRawTest, StaysWithinFourTimesWhatTheSequenceHasSeen) {
  const Sequence sequence = MakeSequences("a", {10, 20, 30}).at(0);
  const double above = std::exp(sequence.centre[0] + sequence.scale[0]) - 1;
  EXPECT_NEAR(*ToRaw(sequence, feature::kPackets)(1e30F), 4 * above, 1e-9);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets)(-1e30F), 0);
  EXPECT_NEAR(*ToRaw(sequence, feature::kPackets)(0), 20, 1e-9);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets)(std::numeric_limits<float>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(ToRaw(sequence, feature::kPackets)(std::numeric_limits<float>::infinity()), std::nullopt);
}

}  // namespace
}  // namespace flowcast::training
