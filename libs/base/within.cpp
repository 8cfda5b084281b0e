// A detached thread and a promise.
#include "libs/base/within.h"

#include <future>
#include <thread>
#include <utility>

namespace flowcast::base {

bool FinishesWithin(Duration patience, std::function<void()> action) {
  std::promise<void> finished;
  const std::future<void> future = finished.get_future();
  std::thread([action = std::move(action), finished = std::move(finished)]() mutable {
    action();
    finished.set_value();
  }).detach();
  return future.wait_for(patience) == std::future_status::ready;
}

}  // namespace flowcast::base
