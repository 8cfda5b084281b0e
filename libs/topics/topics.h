// The topics: names under a prefix, and their settings. docs/formats.md has the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/bus/bus.h"

namespace flowcast::topics {

/// Full names, such as "flowcast.packets.v1".
struct Names {
  explicit Names(const std::string& prefix = "flowcast.");
  std::string packets, windows, windows_json, sequences, models, forecasts, forecasts_json, alerts, state;
};

struct Sizing {
  std::int32_t partitions = 4;
  std::int16_t replication = 1;
};

/// Largest message anywhere: a model of 16 MiB and its manifest.
inline constexpr std::int64_t kLargestMessageBytes = std::int64_t{17} << 20;

/// Every topic as it should be; packets, windows and forecasts (JSON, too), sequences and state have the same
/// number of partitions, so that partition p of one belongs to partition p of the other.
std::vector<bus::TopicSpec> Specs(const Names& names, const Sizing& sizing);

/// Where `existing` differs from `wanted`, one line each: "partitions 8 instead of 4".
std::vector<std::string> Differences(const bus::TopicSpec& wanted, const bus::TopicDescription& existing);

}  // namespace flowcast::topics
