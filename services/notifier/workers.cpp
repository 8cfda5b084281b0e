// Turn, wait, turn.
#include "services/notifier/workers.h"

#include <utility>

namespace flowcast::services {

Workers::Workers(const std::vector<notify::Destination*>& destinations) {
  for (notify::Destination* destination : destinations) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>(*destination));
    destination->OnNews([&worker] {
      const std::lock_guard lock(worker.mutex);
      worker.has_news = true;
      worker.changed.notify_one();
    });
    worker.thread = std::thread([&worker] { Run(worker); });
  }
}

Workers::~Workers() {
  for (const auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    worker->stopping = true;
    worker->changed.notify_one();
  }
  for (const auto& worker : workers_) worker->destination.Interrupt();
  for (const auto& worker : workers_) worker->thread.join();
  for (const auto& worker : workers_) worker->destination.OnNews([] {});
}

void Workers::Run(Worker& worker) {
  while (true) {
    const base::Duration wait = worker.destination.Turn();
    std::unique_lock lock(worker.mutex);
    worker.changed.wait_for(lock, wait, [&worker] { return worker.has_news || worker.stopping; });
    worker.has_news = false;
    if (worker.stopping) return;
  }
}

}  // namespace flowcast::services
