// For sources that can wait: files.
#pragma once

#include <functional>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/base/throttle.h"
#include "libs/bus/bus.h"
#include "libs/delivery/delivery.h"
#include "libs/delivery/in_flight.h"

namespace flowcast::delivery {

/// Send waits while the bus is away, until a stop is asked for; from then on nothing more is sent, so
/// that what is on the bus has no gap, and the rest is counted as waiting: it is sent when the file is
/// sent again. Finish waits likewise, and after a stop for `patience` more.
class WaitingDelivery : public Delivery {
 public:
  struct Parts {
    bus::Producer& producer;  // new; its send_timeout is how long a stop may go unnoticed
    base::Clock& clock;
    base::Log log;
    std::function<bool()> stop_requested;
  };
  WaitingDelivery(const Parts& parts, std::string topic, base::Duration patience = std::chrono::seconds(5))
      : parts_(parts), topic_(std::move(topic)), patience_(patience), say_(parts.clock, kSayEvery) {}

  void Send(std::int32_t partition, std::string bytes, std::uint64_t packets) override;
  void Pump() override { Collect(); }
  bool Finish() override;
  Counters counters() const override { return counters_; }

 private:
  bool Wait(const bus::OutRecord& record);
  void SayThatItWaits(const std::string& why);
  void Collect();

  Parts parts_;
  std::string topic_;
  base::Duration patience_;
  InFlight in_flight_;
  bool gave_up_ = false;
  base::Throttle say_;
  Counters counters_;
};

}  // namespace flowcast::delivery
