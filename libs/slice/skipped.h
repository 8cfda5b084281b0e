// Telling of records that a task cannot use.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/log.h"
#include "libs/bus/bus.h"

namespace flowcast::slice {

/// A warning that a record was skipped, which is the number `so_far` of its kind: of the 1st, 2nd, 4th, 8th
/// and so on.
void LogSkipped(const base::Log& log, const bus::InRecord& record, const std::string& reason,
                std::uint64_t so_far);

}  // namespace flowcast::slice
