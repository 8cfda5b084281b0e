// For sources that do not wait: live interfaces.
#pragma once

#include <optional>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/base/throttle.h"
#include "libs/bus/bus.h"
#include "libs/delivery/delivery.h"
#include "libs/delivery/in_flight.h"
#include "libs/spool/journal.h"

namespace flowcast::delivery {

/// Every batch is written to the journal, then sent, and released from the journal when it is
/// acknowledged. A batch that the queue does not take stays in the journal and is sent from there
/// when its turn comes, so the order is always that of Send; what an earlier run has left in the
/// journal comes first. Whole batches are dropped, and counted, when the journal is full (without a
/// journal: when the queue is). While nothing waits in the journal, a disk that takes no more costs
/// nothing but the protection against being killed. Send and Pump never wait for the bus.
class LiveDelivery : public Delivery {
 public:
  struct Parts {
    bus::Producer& producer;            // new
    spool::Journal* journal = nullptr;  // may be null
    base::Clock& clock;
    base::Log log;
  };
  LiveDelivery(Parts parts, std::string topic, base::Duration patience = std::chrono::seconds(5));

  void Send(std::int32_t partition, std::string bytes, std::uint64_t packets) override;
  void Pump() override;
  /// Waits for at most `patience`; what is in the journal stays there for the next run, what is only
  /// in the queue counts as dropped.
  bool Finish() override;
  Counters counters() const override { return counters_; }

 private:
  bool HasBacklog() const {
    return held_ || (parts_.journal != nullptr && parts_.journal->unread().records > 0);
  }
  bool TrySend(bus::OutRecord& record, const Sent& sent);
  bool SendNext(std::size_t& bytes);
  void Collect();
  std::uint64_t& dropped();
  void Drop(std::uint64_t packets);
  void FallBehind();
  void CatchUp();
  void CountLost();

  Parts parts_;
  std::string topic_;
  base::Duration patience_;
  std::uint64_t last_inherited_;  // number in the journal
  InFlight in_flight_;
  std::optional<spool::Record> held_;  // read from the journal, not taken by the queue yet
  std::uint64_t backlog_ = 0;          // our packets in the journal that were never sent
  bool behind_ = false;
  bool said_behind_ = false;
  base::Throttle say_behind_;  // with a bus that is just too slow this changes many times a second
  base::Throttle say_dropped_;
  std::uint64_t dropped_before_ = 0;  // when we fell behind
  Counters counters_;
};

}  // namespace flowcast::delivery
