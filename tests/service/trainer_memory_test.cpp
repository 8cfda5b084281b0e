// What a trainer keeps over a restart, as text.
#include <gtest/gtest.h>

#include "services/trainer/trainer_memory.h"
#include "tests/support/sequences.h"

namespace flowcast::services {
namespace {

using support::At;

TrainerMemory AnyMemory() {
  training::DriftWatch::Measure measure{
      .version = "v1", .newest = At(1000), .blocks = {}, .first = -3, .at_first = 1.0 / 3};
  measure.blocks[-3] = {0.1, 1e300, 7};
  measure.blocks[12] = {};
  return {.settings = "any words: 1 2",
          .trained_at = At(5000),
          .learned_to = At(900),
          .drift = {{"packets", measure}, {"jitter", {}}}};
}

TEST(TrainerMemoryTest, ComesBackAsItWas) { EXPECT_EQ(MemoryFrom(ToText(AnyMemory())), AnyMemory()); }

TEST(TrainerMemoryTest, CutShortAnywhereIsNone) {
  const std::string text = ToText(AnyMemory());
  for (std::size_t size = 0; size + 1 < text.size(); ++size)
    EXPECT_EQ(MemoryFrom(text.substr(0, size)), std::nullopt) << size;
}

TEST(TrainerMemoryTest, ForeignOrImpossibleIsNone) {
  const std::string text = ToText(AnyMemory());
  const auto with = [&text](const std::string& from, const std::string& to) {
    std::string other = text;
    return MemoryFrom(other.replace(other.find(from), from.size(), to));
  };
  EXPECT_EQ(MemoryFrom("hello\n"), std::nullopt);
  EXPECT_EQ(with("trainer 1", "trainer 2"), std::nullopt);
  EXPECT_EQ(with("0.3333", "nan"), std::nullopt);
  EXPECT_EQ(with("0.3333", "-0.3333"), std::nullopt);
  EXPECT_EQ(with("e+300", "e+999"), std::nullopt);
  EXPECT_EQ(with("learned_to_ns", "word"), std::nullopt);
  EXPECT_EQ(with("trained_at_ns ", "trained_at_ns 9999999"), std::nullopt);
  EXPECT_EQ(with("drift jitter", "drift"), std::nullopt);
}

}  // namespace
}  // namespace flowcast::services
