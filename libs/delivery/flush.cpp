// Flush, and a pause where it did not wait itself.
#include "libs/delivery/flush.h"

namespace flowcast::delivery {

std::optional<std::string> FlushAMoment(bus::Producer& producer, base::Clock& clock) {
  constexpr std::chrono::milliseconds kFlush(100);
  constexpr base::Duration kPause = std::chrono::milliseconds(10);
  try {
    producer.Flush(kFlush);
  } catch (const bus::BusError& error) {
    if (error.kind() != bus::BusError::Kind::kUnreachable) throw;
    clock.SleepFor(kPause);
    return error.what();
  }
  return {};
}

}  // namespace flowcast::delivery
