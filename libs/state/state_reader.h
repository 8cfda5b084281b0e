// What a service left in state.v1, and records that follow its snapshots.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/bus/bus.h"

namespace flowcast::state {

/// Keys within the service's partition of state.v1.
std::string ProgressKey(const std::string& service);
std::string LinkKey(const std::string& service, const std::string& link);

/// The newest records of a partition, by key.
struct Kept {
  std::string progress;                      // empty: there is none
  std::map<std::string, std::string> links;  // by link
};

/// Reads beside the group, with a consumer of its own, what was committed. A transaction that a
/// predecessor left open hides what was committed behind it until the broker ends it; both calls wait for
/// that, at most as long as `patience`; when a stop is asked for meanwhile they throw BusError of kStopped.
/// Not thread-safe.
class StateReader {
 public:
  struct Parts {
    bus::Bus& bus;
    base::Clock& clock;
    std::string topic;                                            // state.v1
    std::string service;                                          // such as "features"
    std::function<bool()> stop_requested = [] { return false; };  // ends the waiting
  };
  explicit StateReader(Parts parts, base::Duration patience = std::chrono::seconds(30))
      : parts_(std::move(parts)), patience_(patience) {}

  /// `is_whole` is asked, once everything visible was read, whether it is what the position belongs to.
  /// Gives nothing when it has not become so.
  std::optional<Kept> Read(std::int32_t partition, const std::function<bool(const Kept&)>& is_whole);

  /// After everything that is committed and visible.
  std::int64_t EndOffset(const bus::TopicPartition& at) { return Consumer().EndOffset(at); }
  /// The first visible record from `offset` on; nothing when there is none.
  std::optional<bus::InRecord> First(const bus::TopicPartition& at, std::int64_t offset);
  /// Gives every record from `from` on, and returns where the next one would be, at least `to`; nothing when
  /// it has not become visible, or not everything that `is_whole` asks for.
  std::optional<std::int64_t> Follow(
      const bus::TopicPartition& at, std::int64_t from, std::int64_t to,
      const std::function<void(const bus::InRecord&)>& take,
      const std::function<bool()>& is_whole = [] { return true; });

 private:
  bus::Consumer& Consumer();
  void Take(const bus::InRecord& record, Kept& kept) const;
  void ReadToEnd(const bus::Position& from, const std::function<void(const bus::InRecord&)>& take);
  void ThrowWhenStopped() const;
  bool WaitUntil(const std::function<bool()>& done);

  Parts parts_;
  base::Duration patience_;
  std::unique_ptr<bus::Consumer> consumer_;
};

}  // namespace flowcast::state
