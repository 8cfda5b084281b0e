// What a partition's fold keeps beside its committed offset (the metadata of a Kafka commit).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "libs/window/partition_fold.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

struct PartitionProgress {
  std::int64_t next_offset = 0;                           // records before it have had their effect
  std::map<std::string, window::SourceProgress> sources;  // before the committed offset
};

/// Compact JSON of at most 4,000 bytes, which is what a broker takes: beyond that, sources that
/// ended longest ago are left out first.
std::string EncodeJson(PartitionProgress progress);
tl::expected<PartitionProgress, WireError> DecodeProgressJson(std::string_view text);

}  // namespace flowcast::wire
