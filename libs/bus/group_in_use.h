// The error of a request that a consumer group's members are in the way of.
#pragma once

#include <string>

#include "libs/bus/bus.h"

namespace flowcast::bus {

inline BusError GroupInUse(const std::string& group, const std::string& topic) {
  return {BusError::Kind::kFatal, "group " + group + " is reading " + topic +
                                      "; stop its services first (one that was killed is forgotten after "
                                      "session.timeout.ms)"};
}

}  // namespace flowcast::bus
