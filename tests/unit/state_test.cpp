// Reading state back while a transaction that a predecessor left open still hides some of it.
#include "libs/state/state_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "libs/bus/memory_bus.h"

namespace flowcast::state {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

/// Something happens while it sleeps.
class EventfulClock : public base::ManualClock {
 public:
  void SleepFor(base::Duration duration) override {
    Advance(duration);
    if (meanwhile) std::exchange(meanwhile, {})();
  }
  std::function<void()> meanwhile;
};

class StateReaderTest : public testing::Test {
 protected:
  StateReaderTest() {
    bus_.MakeAdmin()->CreateTopic({"windows", 2});
    bus_.MakeAdmin()->CreateTopic({"state", 2});
  }

  void Write(const std::string& topic, const std::string& key, const std::string& value) {
    const auto producer = bus_.MakeProducer({});
    producer->Send({.to = {topic, 1}, .key = key, .value = value});
    producer->Flush(1s);
  }
  std::optional<std::int64_t> Follow(std::int64_t from, std::int64_t to) {
    return reader_.Follow({"windows", 1}, from, to,
                          [this](const bus::InRecord& record) { seen_.push_back(record.value); });
  }

  EventfulClock clock_;
  bus::MemoryBus bus_{clock_};
  StateReader reader_{{bus_, clock_, "state", "s"}, 1s};
  std::vector<std::string> seen_;
};

TEST_F(StateReaderTest, GivesWhatFollowsFromAnOffsetOn) {
  for (const char* value : {"0", "1", "2"}) Write("windows", "link", value);
  EXPECT_EQ(Follow(1, 2), 3);
  EXPECT_THAT(seen_, ElementsAre("1", "2"));
}

TEST_F(StateReaderTest, WhatBecomesVisibleWhileItWaitsIsGivenToo) {
  Write("windows", "link", "0");
  clock_.meanwhile = [this] {
    Write("windows", "link", "1");
    Write("windows", "link", "2");
  };
  EXPECT_EQ(Follow(0, 3), 3);
  EXPECT_THAT(seen_, ElementsAre("0", "1", "2"));
}

TEST_F(StateReaderTest, AfterItsPatienceItSaysThatSomethingIsMissing) {
  Write("windows", "link", "0");
  EXPECT_EQ(Follow(0, 2), std::nullopt);
}

TEST_F(StateReaderTest, GivesTheNewestStateOfEachLink) {
  Write("state", LinkKey("s", "a"), "old");
  Write("state", LinkKey("s", "a"), "new");
  Write("state", LinkKey("other", "b"), "not ours");
  Write("state", ProgressKey("s"), "7");
  const auto kept = reader_.Read(1, [](const Kept& now) { return now.progress == "7"; });
  ASSERT_TRUE(kept);
  EXPECT_THAT(kept->links, ElementsAre(Pair("a", "new")));
}

TEST_F(StateReaderTest, WaitsForTheStateThatBelongsToThePosition) {
  Write("state", ProgressKey("s"), "7");
  clock_.meanwhile = [this] {
    Write("state", LinkKey("s", "a"), "new");
    Write("state", ProgressKey("s"), "8");
  };
  const auto is_whole = [](const Kept& now) { return now.progress == "8"; };
  const auto kept = reader_.Read(1, is_whole);
  ASSERT_TRUE(kept);
  EXPECT_THAT(kept->links, ElementsAre(Pair("a", "new")));
  EXPECT_FALSE(reader_.Read(0, is_whole));
}

}  // namespace
}  // namespace flowcast::state
