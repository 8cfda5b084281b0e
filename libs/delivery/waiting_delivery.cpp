// Backpressure: the producer's queue is full, so the file is not read on.
#include "libs/delivery/waiting_delivery.h"

#include <utility>

#include "libs/delivery/flush.h"

namespace flowcast::delivery {
namespace {

using namespace std::chrono_literals;
using bus::BusError;

constexpr base::Duration kPause = 10ms;

}  // namespace

void WaitingDelivery::Send(std::int32_t partition, std::string bytes, std::uint64_t packets) {
  counters_.sent += packets;
  counters_.waiting += packets;
  bus::OutRecord record{.to = {topic_, partition}, .key = {}, .value = std::move(bytes)};
  if (!gave_up_) gave_up_ = !parts_.producer.TrySend(record) && !Wait(record);
  if (!gave_up_) in_flight_.Add({.packets = packets});
  Collect();
}

/// False when a stop was asked for before there was room.
bool WaitingDelivery::Wait(const bus::OutRecord& record) {
  while (!parts_.stop_requested()) {
    try {
      parts_.producer.Send(record);
      return true;
    } catch (const BusError& error) {
      if (error.kind() != BusError::Kind::kUnreachable) throw;
      SayThatItWaits(error.what());
      parts_.clock.SleepFor(kPause);
    }
  }
  return false;
}

bool WaitingDelivery::Finish() {
  base::Duration deadline = parts_.clock.Steady() + patience_;
  for (Collect(); !in_flight_.empty(); Collect()) {
    if (!parts_.stop_requested()) deadline = parts_.clock.Steady() + patience_;
    if (parts_.clock.Steady() >= deadline) break;
    if (const auto why = FlushAMoment(parts_.producer, parts_.clock)) SayThatItWaits(*why);
  }
  return counters_.waiting == 0;
}

void WaitingDelivery::SayThatItWaits(const std::string& why) {
  if (say_.IsDue()) parts_.log(base::LogLevel::kWarning, "the source waits for Kafka: " + why);
}

void WaitingDelivery::Collect() {
  in_flight_.Collect(parts_.producer, [this](const Sent& sent) {
    counters_.acknowledged += sent.packets;
    counters_.waiting -= sent.packets;
  });
}

}  // namespace flowcast::delivery
