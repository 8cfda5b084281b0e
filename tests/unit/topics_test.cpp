// The table of topics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/topics/topics.h"

namespace flowcast::topics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

bus::TopicSpec Find(const std::vector<bus::TopicSpec>& specs, const std::string& name) {
  for (const bus::TopicSpec& spec : specs) {
    if (spec.name == name) return spec;
  }
  ADD_FAILURE() << "no topic " << name;
  return {};
}

TEST(TopicsTest, NamesHaveAPrefixAndAVersion) {
  EXPECT_EQ(Names().packets, "flowcast.packets.v1");
  EXPECT_EQ(Names("lab-").alerts, "lab-alerts.v1");
  EXPECT_EQ(Names("").models, "models.v1");
  EXPECT_EQ(Names().windows_json, "flowcast.windows-json.v1");
  EXPECT_EQ(Names().forecasts_json, "flowcast.forecasts-json.v1");
}

TEST(TopicsTest, TopicsOfTheSameLinksHaveTheSamePartitions) {
  const Names names;
  const auto specs = Specs(names, {.partitions = 7, .replication = 3});
  EXPECT_THAT(specs, SizeIs(9));
  for (const std::string& name : {names.packets, names.windows, names.windows_json, names.sequences,
                                  names.forecasts, names.forecasts_json, names.state}) {
    EXPECT_EQ(Find(specs, name).partitions, 7) << name;
  }
  EXPECT_EQ(Find(specs, names.models).partitions, 1);
  EXPECT_EQ(Find(specs, names.alerts).partitions, 1);
  for (const bus::TopicSpec& spec : specs) EXPECT_EQ(spec.replication, 3) << spec.name;
}

TEST(TopicsTest, ModelsAndStateAreCompactedTheRestIsDeletedAfterAWhile) {
  const Names names;
  for (const bus::TopicSpec& spec : Specs(names, {})) {
    const bool kept = spec.name == names.models || spec.name == names.state;
    EXPECT_EQ(spec.settings.at("cleanup.policy"), kept ? "compact" : "delete") << spec.name;
    EXPECT_EQ(spec.settings.count("retention.ms"), kept ? 0u : 1u) << spec.name;
  }
  EXPECT_EQ(Find(Specs(names, {}), names.packets).settings.at("retention.ms"), "21600000");
}

TEST(TopicsTest, AModelOf16MiBFits) {
  const Names names;
  EXPECT_EQ(Find(Specs(names, {}), names.models).settings.at("max.message.bytes"), std::to_string(17 << 20));
}

TEST(TopicsTest, DifferencesAreNamedOneByOne) {
  const bus::TopicSpec wanted{"t", 4, 1, {{"cleanup.policy", "delete"}, {"retention.ms", "1"}}};
  EXPECT_THAT(Differences(wanted, {4, {{"cleanup.policy", "delete"}, {"retention.ms", "1"}, {"other", "x"}}}),
              IsEmpty());
  EXPECT_THAT(Differences(wanted, {8, {{"cleanup.policy", "compact"}}}),
              ElementsAre("partitions 8 instead of 4", "cleanup.policy compact instead of delete",
                          "retention.ms (unknown) instead of 1"));
}

}  // namespace
}  // namespace flowcast::topics
