// Write ahead, send, release; in order whatever becomes of the bus.
#include "libs/delivery/live_delivery.h"

#include <utility>

#include "libs/base/text.h"
#include "libs/delivery/flush.h"

namespace flowcast::delivery {
namespace {

using base::LogLevel;

constexpr std::size_t kPumpBytes = 4 << 20;  // some milliseconds, in which the kernel's ring fills a little

}  // namespace

LiveDelivery::LiveDelivery(Parts parts, std::string topic, base::Duration patience)
    : parts_(std::move(parts)),
      topic_(std::move(topic)),
      patience_(patience),
      last_inherited_(parts_.journal == nullptr ? 0 : parts_.journal->last_number()),
      say_behind_(parts_.clock, kSayEvery),
      say_dropped_(parts_.clock, kSayEvery) {
  if (parts_.journal != nullptr) counters_.inherited = parts_.journal->unread().packets;
}

void LiveDelivery::Send(std::int32_t partition, std::string bytes, std::uint64_t packets) {
  counters_.sent += packets;
  counters_.waiting += packets;
  const bool in_turn = !HasBacklog();
  const bool written = parts_.journal != nullptr && parts_.journal->Append(partition, packets, bytes);
  const std::uint64_t number = written ? parts_.journal->last_number() : 0;
  bus::OutRecord record{.to = {topic_, partition}, .key = {}, .value = std::move(bytes)};
  if (in_turn && TrySend(record, {.packets = packets, .number = number})) {
    if (written) parts_.journal->SkipUnread();
  } else if (written) {
    backlog_ += packets;
    FallBehind();
  } else {
    Drop(packets);
  }
}

bool LiveDelivery::TrySend(bus::OutRecord& record, const Sent& sent) {
  if (!parts_.producer.TrySend(record)) return false;
  in_flight_.Add(sent);
  return true;
}

void LiveDelivery::Pump() {
  Collect();
  std::size_t bytes = 0;
  while (bytes < kPumpBytes && HasBacklog() && SendNext(bytes)) {
  }
  if (behind_ && !HasBacklog()) CatchUp();
}

bool LiveDelivery::SendNext(std::size_t& bytes) {
  if (!held_) held_ = parts_.journal->Read();
  if (!held_) {
    CountLost();
    return false;
  }
  const Sent sent{
      .packets = held_->packets, .number = held_->number, .inherited = held_->number <= last_inherited_};
  const std::size_t size = held_->bytes.size();
  bus::OutRecord record{.to = {topic_, held_->partition}, .key = {}, .value = std::move(held_->bytes)};
  if (!TrySend(record, sent)) {
    held_->bytes = std::move(record.value);
    return false;
  }
  if (!sent.inherited) backlog_ -= sent.packets;
  bytes += size;
  held_.reset();
  return true;
}

bool LiveDelivery::Finish() {
  const base::Duration deadline = parts_.clock.Steady() + patience_;
  for (Pump(); HasBacklog() || !in_flight_.empty(); Pump()) {
    if (parts_.clock.Steady() >= deadline) break;
    FlushAMoment(parts_.producer, parts_.clock);
  }
  in_flight_.Abandon([this](const Sent& sent) {
    if (sent.number > 0) return;
    counters_.waiting -= sent.packets;
    dropped() += sent.packets;
  });
  return counters_.waiting + counters_.inherited == 0;
}

void LiveDelivery::Collect() {
  std::uint64_t released = 0;
  in_flight_.Collect(parts_.producer, [&](const Sent& sent) {
    if (sent.inherited) {
      counters_.inherited -= sent.packets;
    } else {
      counters_.acknowledged += sent.packets;
      counters_.waiting -= sent.packets;
    }
    if (sent.number > 0) released = sent.number;
  });
  if (parts_.journal == nullptr) return;
  if (in_flight_.empty() && !HasBacklog()) released = parts_.journal->last_number();
  if (released > 0) parts_.journal->Release(released);
}

std::uint64_t& LiveDelivery::dropped() {
  return parts_.journal != nullptr ? counters_.dropped_by_spool : counters_.dropped_by_queue;
}

void LiveDelivery::Drop(std::uint64_t packets) {
  counters_.waiting -= packets;
  dropped() += packets;
  if (!say_dropped_.IsDue()) return;
  parts_.log(LogLevel::kWarning,
             (parts_.journal != nullptr ? "packets are dropped: " + parts_.journal->obstacle()
                                        : std::string("packets are dropped: Kafka does not keep up and "
                                                      "there is no spool")) +
                 ", " + base::Grouped(dropped()) + " so far");
}

void LiveDelivery::FallBehind() {
  if (std::exchange(behind_, true)) return;
  dropped_before_ = counters_.dropped_by_spool;
  said_behind_ = say_behind_.IsDue();
  if (!said_behind_) return;
  parts_.log(LogLevel::kWarning,
             "Kafka does not keep up: batches wait in the spool " + parts_.journal->folder());
}

void LiveDelivery::CatchUp() {
  behind_ = false;
  if (!said_behind_) return;
  const std::uint64_t dropped = counters_.dropped_by_spool - dropped_before_;
  parts_.log(LogLevel::kInfo,
             "the spool has caught up with Kafka" +
                 (dropped == 0 ? "" : "; " + base::Grouped(dropped) + " packets were dropped meanwhile"));
}

/// Whatever is not read by now is unreadable, and so are those of our packets that were not sent.
void LiveDelivery::CountLost() {
  counters_.waiting -= backlog_;
  counters_.dropped_by_spool += std::exchange(backlog_, 0);
  std::uint64_t inherited = 0;
  in_flight_.ForEach([&](const Sent& sent) { inherited += sent.inherited ? sent.packets : 0; });
  counters_.inherited = inherited;
}

}  // namespace flowcast::delivery
