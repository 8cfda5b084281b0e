// Reads everything that partitions hold at a moment, without a group.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/bus/bus.h"

namespace flowcast::bus {

/// Every partition of a topic, from its start.
std::vector<Position> FromStart(const std::string& topic, std::int32_t partitions);

/// Assigns the partitions and gives every record that was committed before the call; records that
/// come meanwhile may be given too. Reading can go on with Poll afterwards. Ends early when `stop`
/// says so. Throws BusError.
void ReadToEnd(Consumer& consumer, const std::vector<Position>& partitions,
               const std::function<void(const InRecord&)>& take, const std::function<bool()>& stop = {});

}  // namespace flowcast::bus
