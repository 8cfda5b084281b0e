// The task of the notifier: alerts out of alerts.v1 to the destinations.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/notify/destination.h"
#include "libs/notify/selection.h"
#include "libs/slice/slice_loop.h"

namespace flowcast::services {

struct NotifierOptions {
  notify::Selection selection;
  base::Duration first_reach = std::chrono::hours(1);  // how far a group without a position looks back
  bool trace = false;                                  // a debug line for each alert
};

/// Records = sent + refused + pending + silenced + below + old.
struct NotifierCounters {
  std::uint64_t records = 0;
  std::uint64_t sent = 0;     // offered to every destination
  std::uint64_t refused = 0;  // no alerts of ours, or of another version
  std::uint64_t pending = 0;
  std::uint64_t silenced = 0;
  std::uint64_t below = 0;  // the lowest severity that is sent
  std::uint64_t old = 0;    // written before the group first ran, and beyond its reach
};

/// The committed position is the oldest alert that a destination still has waiting: nothing is lost, and
/// after a restart receivers may be told again. Reading waits for no destination. A destination that resends
/// learns from the topic, before the position, what is firing.
class NotifierTask : public slice::Task {
 public:
  /// Destinations and clock must outlive it.
  NotifierTask(const NotifierOptions& options, std::vector<notify::Destination*> destinations,
               const base::Clock& clock, base::Log log);
  /// Before the first OnAssigned; `bus` must outlive the task.
  void Connect(bus::Bus& bus, std::function<bool()> stop_requested);

  void OnAssigned(const std::vector<bus::Position>& partitions) override;
  void OnRevoked(const std::vector<bus::TopicPartition>& partitions) override;
  bool OnRecord(const bus::InRecord& record, slice::Outbox& outbox) override;
  void OnIdle(slice::Outbox&) override {}
  void OnCommit(slice::Outbox& outbox) override;
  bool HasMoved() const override { return Positions() != committed_; }
  std::vector<bus::Position> Positions() const override;

  const NotifierCounters& counters() const { return counters_; }
  const std::vector<notify::Destination*>& destinations() const { return destinations_; }

 private:
  struct Partition {
    std::int64_t next_offset = bus::kNoOffset;
    std::optional<std::chrono::milliseconds> send_from;  // older ones are not sent: the group is new
  };

  void Learn(const bus::Position& position);
  void Forget();
  void Trace(const alert::Alert& alert, const std::string& fate) const;

  NotifierOptions options_;
  std::vector<notify::Destination*> destinations_;
  const base::Clock& clock_;
  base::Log log_;
  bus::Bus* bus_ = nullptr;
  std::function<bool()> stop_requested_;
  std::map<bus::TopicPartition, Partition> partitions_;
  std::vector<bus::Position> committed_;
  NotifierCounters counters_;
};

}  // namespace flowcast::services
