// A thread for each destination, so that none waits for another.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "libs/notify/destination.h"

namespace flowcast::services {

class Workers {
 public:
  /// Starts the threads; the destinations must outlive it.
  explicit Workers(const std::vector<notify::Destination*>& destinations);
  /// Interrupts what is being sent and waits for the threads.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  struct Worker {
    explicit Worker(notify::Destination& whose) : destination(whose) {}
    notify::Destination& destination;
    std::mutex mutex;
    std::condition_variable changed;
    bool has_news = false;
    bool stopping = false;
    std::thread thread;
  };
  static void Run(Worker& worker);

  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace flowcast::services
