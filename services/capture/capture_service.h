// Moves packets from a source into batches on Kafka and keeps count of them.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/capture/batcher.h"
#include "libs/capture/packet_source.h"
#include "libs/delivery/delivery.h"

namespace flowcast::services {

/// What became of the packets; received = published + filtered + dropped + undecodable + unsent.
struct CaptureSummary {
  packet::SourceCounters packets;  // published: acknowledged by Kafka
  std::uint64_t unsent = 0;     // not yet; at the end: in the spool, or the rest of a file that was stopped
  std::uint64_t inherited = 0;  // not received in this run: an earlier one's that are in the spool still
  std::array<std::uint64_t, packet::kKinds> by_kind{};  // of all that were taken into batches
  std::uint64_t out_of_order = 0;                       // older than a packet before them
  std::uint64_t stragglers = 0;                         // of these, by more than the reorder tolerance
  std::uint64_t links = 0;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;  // encoded, before Kafka compresses them
  base::EventTime watermark = base::kBeginningOfTime;
  double seconds = 0;
  bool complete = false;  // the source was read to its end
  bool failed = false;    // it ended before its time
  std::string complaint;
};

struct CaptureParts {
  capture::PacketSource& source;
  delivery::Delivery& delivery;
  base::Clock& clock;
  base::Log log;
  std::function<bool()> stop_requested;
  /// Called at the beginning, about once a second, and at the end.
  std::function<void(const CaptureSummary&)> progress = [](const CaptureSummary&) {};
};

struct CaptureOptions {
  capture::BatcherOptions batches;
  bool live = false;   // the source has ended also when it is stopped
  bool paced = false;  // batches close by age, too: live, and a replay at a given speed
  bool trace = false;  // a debug line for each batch with packets
  /// Of a live source: an epoch later than all before, for when the host's clock was set back.
  std::function<std::uint64_t()> next_epoch{};
};

class CaptureService {
 public:
  CaptureService(const CaptureParts& parts, const CaptureOptions& options)
      : parts_(parts), options_(options), batcher_(options.batches) {}

  /// Runs until the source ends or a stop is asked for, and then until the delivery has finished.
  /// Throws bus::BusError when Kafka refuses something for good.
  CaptureSummary Run();

 private:
  capture::PollState Step();
  bool ClockWentBack();
  void BeginEpoch();
  std::uint64_t taken() const { return ended_.taken + batcher_.taken(); }
  bool TickIsDue() const;
  void Count(std::size_t coming = 0);
  void SendReady();
  void Trace(const capture::AddressedBatch& ready) const;
  void ReportProgress();
  CaptureSummary Summarize(bool complete) const;

  /// What batchers saw, one an epoch.
  struct Seen {
    std::uint64_t taken = 0;
    std::array<std::uint64_t, packet::kKinds> by_kind{};
    std::uint64_t out_of_order = 0;
    std::uint64_t stragglers = 0;
    std::uint64_t links = 0;  // the most that one had
  };
  Seen InThisRun() const;

  CaptureParts parts_;
  CaptureOptions options_;
  capture::Batcher batcher_;
  Seen ended_;                                  // of the epochs before this one
  packet::SourceCounters counters_before_;      // when this one began
  std::optional<base::Duration> clock_offset_;  // the wall clock's before the steady one
  std::vector<packet::Packet> packets_;
  std::vector<capture::AddressedBatch> ready_;
  packet::SourceCounters counters_;
  std::uint64_t batches_ = 0;
  std::uint64_t bytes_ = 0;
  base::Duration began_{};
  base::Duration last_tick_{};
  base::EventTime last_bound_ = base::kBeginningOfTime;  // of the last tick
  base::Duration last_report_{};
  std::uint64_t last_taken_ = 0;
};

}  // namespace flowcast::services
