// One step of waiting for acknowledgements.
#pragma once

#include <optional>
#include <string>

#include "libs/base/clock.h"
#include "libs/bus/bus.h"

namespace flowcast::delivery {

/// Waits a moment for what the producer has queued. Where the bus can't be reached it says why. Throws
/// bus::BusError when something can't be delivered for good.
std::optional<std::string> FlushAMoment(bus::Producer& producer, base::Clock& clock);

}  // namespace flowcast::delivery
