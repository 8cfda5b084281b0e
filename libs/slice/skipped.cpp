// At powers of two.
#include "libs/slice/skipped.h"

#include <bit>

namespace flowcast::slice {

void LogSkipped(const base::Log& log, const bus::InRecord& record, const std::string& reason,
                std::uint64_t so_far) {
  if (!std::has_single_bit(so_far)) return;
  log(base::LogLevel::kWarning, "skipped a record of " + record.from.topic + " (partition " +
                                    std::to_string(record.from.partition) + ", offset " +
                                    std::to_string(record.offset) + "): " + reason + "; " +
                                    std::to_string(so_far) + " so far");
}

}  // namespace flowcast::slice
