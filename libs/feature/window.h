// A window of a link and a normalized sequence of them, as the rest of flowcast knows them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/feature/schema.h"
#include "libs/feature/seasonal_profile.h"

namespace flowcast::feature {

/// The features of one link in [start, start + length), raw units.
struct Window {
  std::string link;
  base::EventTime start = base::kBeginningOfTime;
  base::Duration length{};
  std::uint64_t schema_hash = 0;
  bool partial = false;  // the source began or ended within it
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t late_packets = 0;  // dropped as late since the link's window before
  std::uint32_t approximate = 0;   // which features are estimates; bits of feature::Approximate
  FeatureVector features;

  base::EventTime end() const { return start + length; }
  bool operator==(const Window&) const = default;
};

/// The last `length` windows of a link, each of the schema's C columns normalized within the sequence.
struct Sequence {
  std::string link;
  base::EventTime end = base::kBeginningOfTime;  // end of the last window
  base::Duration window_length{};
  std::uint64_t schema_hash = 0;  // Schema::sequence_hash
  Scaling scaling = Scaling::kRobust;
  std::uint32_t length = 0;    // L
  std::vector<double> centre;  // [C], of the transformed values
  std::vector<double> scale;   // [C], positive
  std::vector<float> values;   // [L][C], oldest first
  std::vector<double> last;    // [C], raw features of the last window
  /// By the link's seasonal profile: of the last window as it was expected, then of those to come. Empty
  /// while the profile is too young.
  std::vector<Usual> usual;

  base::EventTime last_start() const { return end - window_length; }
  bool operator==(const Sequence&) const = default;
};

}  // namespace flowcast::feature
