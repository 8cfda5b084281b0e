// The connections that wait to be served: not more than so many.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace flowcast::http::internal {

/// A pool of threads. httplib's own takes any number of connections; this one makes the accepting
/// thread wait when `limit` are waiting already, so that the rest stays in the kernel.
class BoundedQueue : public httplib::TaskQueue {
 public:
  BoundedQueue(std::size_t threads, std::size_t limit);

  void enqueue(std::function<void()> task) override;
  /// Serves what was taken and ends.
  void shutdown() override;

 private:
  void Work();

  std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace flowcast::http::internal
