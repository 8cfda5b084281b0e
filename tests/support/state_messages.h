// Seeded random content of what services keep.
#pragma once

#include <string>

#include "libs/base/random.h"
#include "libs/wire/features_state_wire.h"
#include "tests/support/messages.h"

namespace flowcast::support {

inline window::Progress AnySources(base::Random& random, std::uint64_t count) {
  window::Progress progress;
  for (std::uint64_t i = 0; i < count; ++i) {
    progress[AnyText(random) + std::to_string(i)] = {.epoch = random.Next(),
                                                     .content = random.Next(),
                                                     .next_sequence = random.Next(),
                                                     .started = AnyTime(random),
                                                     .watermark = AnyTime(random),
                                                     .closed_to = AnyTime(random),
                                                     .ending = random.Below(2) == 0,
                                                     .final = random.Below(2) == 0};
  }
  return progress;
}

inline wire::FeaturesProgress AnyProgress(base::Random& random, std::uint64_t sources) {
  const auto offset = [&random] { return static_cast<std::int64_t>(random.Below(std::uint64_t{1} << 60)); };
  const std::int64_t from = offset();
  return {.next_offset = offset(),
          .before = AnySources(random, sources),
          .now = AnySources(random, sources),
          .windows_from = from,
          .windows_to = from + static_cast<std::int64_t>(random.Below(1000)),
          .owed = random.Below(1000),
          .last = {"one/link", base::FromUnixNanoseconds(
                                   static_cast<std::int64_t>(random.Below(std::uint64_t{1} << 60)))}};
}

inline window::LinkSnapshot AnySnapshot(base::Random& random, std::uint64_t windows) {
  window::LinkSnapshot snapshot{
      .source = AnyText(random), .next_start = AnyTime(random), .idle_since = AnyTime(random)};
  for (std::uint64_t i = 0; i < windows; ++i) snapshot.windows.push_back(AnyWindow(random));
  snapshot.ended = random.Below(2) == 0;
  auto& profile = snapshot.profile;
  for (std::uint16_t number = 0; number < 192; ++number) {
    if (random.Below(3) != 0) continue;
    const auto days = static_cast<std::uint16_t>(1 + random.Below(1000));
    profile.quarters.push_back({number, days, {static_cast<float>(random.Below(20)), 0.5F}});
  }
  profile.open = {static_cast<std::int64_t>(random.Below(2'000'000)), 3, {1.5, 2.5}};
  return snapshot;
}

}  // namespace flowcast::support
