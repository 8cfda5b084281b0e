// What the feature service keeps in state.v1, and the note beside its committed offsets.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/window/partition_fold.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

struct FeaturesProgress {
  std::int64_t next_offset = 0;   // of packets.v1: records before it have had their effect
  window::Progress before;        // the committed offset
  window::Progress now;           // before next_offset
  std::int64_t windows_from = 0;  // of windows.v1: older ones are in the snapshots
  std::int64_t windows_to = 0;    // of windows.v1: at least so far it had been written
  std::uint64_t owed = 0;         // so many newest windows of windows.v1 have no sequences yet
  window::WindowName last{};      // the newest of windows.v1; without a link: unknown
  bool operator==(const FeaturesProgress&) const = default;
};

std::string Encode(const FeaturesProgress& progress);
tl::expected<FeaturesProgress, WireError> DecodeFeaturesProgress(std::string_view bytes);

std::string Encode(const window::LinkSnapshot& snapshot);
tl::expected<window::LinkSnapshot, WireError> DecodeLinkSnapshot(std::string_view bytes);

}  // namespace flowcast::wire
