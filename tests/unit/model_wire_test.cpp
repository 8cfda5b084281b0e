// The percentiles in a model's message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "flowcast/v1/models.pb.h"
#include "libs/wire/model_wire.h"
#include "tests/support/messages.h"

namespace flowcast::wire {
namespace {

/// A good message with a change to it.
std::string Changed(const std::string& bytes, const std::function<void(v1::Model&)>& change) {
  v1::Model message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  change(message);
  return message.SerializeAsString();
}

/// Of so many links, whose loads grow with their numbers.
model_store::Model ModelOfLinks(std::size_t links) {
  base::Random random(3);
  model_store::Model model{support::AnyManifest(random), {{"lstm", "weights"}}};
  for (const std::string& target : model.manifest.targets()) {
    auto& by_link = *model.manifest.percentiles_of(target);
    by_link = {{"", {{"p99", 1}}}};
    for (std::size_t i = 0; i < links; ++i) {
      const auto load = static_cast<double>(i);
      by_link["datacentre/link-" + std::to_string(100'000 + i)] = {
          {"p50", load}, {"p90", load + 0.1}, {"p95", load + 1.0 / 3}, {"p99", load + 0.5}};
    }
  }
  return model;
}

TEST(ModelPercentilesTest, PercentilesOfTwoTargetsTakeLessThanAHundredBytesALink) {
  constexpr std::size_t kLinks = 10'000;
  model_store::Model model = ModelOfLinks(kLinks);
  EXPECT_EQ(FitInto(100 * kLinks, model), 0u);
  EXPECT_EQ(model.manifest.percentiles.size(), kLinks + 1);
}

TEST(ModelPercentilesTest, WhatHasNoRoomIsTheSmallestLinksPercentiles) {
  model_store::Model model = ModelOfLinks(1000);
  const std::size_t whole = Encode(model).size();
  const std::size_t left_out = FitInto(whole / 2, model);
  EXPECT_GT(left_out, 400u);
  EXPECT_LT(left_out, 600u);
  EXPECT_LE(Encode(model).size(), whole / 2);
  const auto back = DecodeModel(Encode(model)).value();
  for (const std::string& target : back.manifest.targets()) {
    const auto& by_link = *back.manifest.percentiles_of(target);
    EXPECT_EQ(by_link.size(), 1001 - left_out);
    EXPECT_EQ(by_link.count(""), 1u) << "for those that were left out";
    EXPECT_EQ(by_link.count("datacentre/link-100999"), 1u) << "the largest";
  }
  FitInto(10, model);
  EXPECT_EQ(model.manifest.percentiles.size(), 1u) << "as far as it helps";
}

TEST(ModelPercentilesTest, PercentilesInTheManifestAreReadAsBefore) {
  base::Random random(4);
  const model_store::Model model{support::AnyManifest(random), {{"lstm", "weights"}}};
  const auto as_before = [&model](v1::Model& message) {
    message.set_manifest(ToJson(model.manifest));
    message.clear_percentiles();
  };
  const auto back = DecodeModel(Changed(Encode(model), as_before));
  EXPECT_EQ(ToJson(back.value().manifest), ToJson(model.manifest));
}

TEST(ModelPercentilesTest, PercentilesThatContradictThemselvesAreRefused) {
  const std::string good = Encode(ModelOfLinks(2));
  const auto refused = [&good](const std::function<void(v1::Percentiles&)>& change) {
    const auto changed = [&change](v1::Model& m) { change(*m.mutable_percentiles()); };
    const auto decoded = DecodeModel(Changed(good, changed));
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error(), WireError::kInconsistent);
  };
  refused([](v1::Percentiles& table) { table.add_levels("p10"); });
  refused([](v1::Percentiles& table) { table.set_targets(0, "of another model"); });
  refused([](v1::Percentiles& table) { table.mutable_links(0)->clear_values(); });
  refused([](v1::Percentiles& table) {
    table.mutable_links(1)->set_values(0, std::numeric_limits<double>::infinity());
  });
}

}  // namespace
}  // namespace flowcast::wire
