// Reading, choosing, offering; the position.
#include "services/notifier/notifier_service.h"

#include <algorithm>
#include <utility>

#include "libs/bus/read_to_end.h"
#include "libs/slice/skipped.h"
#include "libs/wire/alert_wire.h"

namespace flowcast::services {
namespace {

std::string FateOf(notify::Choice choice) {
  using enum notify::Choice;
  return choice == kSend       ? "handed to the receivers"
         : choice == kPending  ? "not sent: pending"
         : choice == kSilenced ? "not sent: silenced"
                               : "not sent: below --severity";
}

}  // namespace

NotifierTask::NotifierTask(const NotifierOptions& options, std::vector<notify::Destination*> destinations,
                           const base::Clock& clock, base::Log log)
    : options_(options), destinations_(std::move(destinations)), clock_(clock), log_(std::move(log)) {}

void NotifierTask::Connect(bus::Bus& bus, std::function<bool()> stop_requested) {
  bus_ = &bus;
  stop_requested_ = std::move(stop_requested);
}

void NotifierTask::OnAssigned(const std::vector<bus::Position>& partitions) {
  Forget();
  partitions_.clear();
  for (const bus::Position& position : partitions) {
    Partition& partition = partitions_[position.at];
    partition.next_offset = position.offset;
    if (position.offset == bus::kNoOffset) {
      const auto reach = clock_.Now().time_since_epoch() - options_.first_reach;
      partition.send_from = std::chrono::floor<std::chrono::milliseconds>(reach);
    } else {
      Learn(position);
    }
  }
  committed_ = Positions();
}

void NotifierTask::OnRevoked(const std::vector<bus::TopicPartition>&) {
  Forget();
  partitions_.clear();
}

void NotifierTask::Forget() {
  for (notify::Destination* destination : destinations_) destination->Forget();
}

/// What was offered before `position` is not offered again, but may be firing.
void NotifierTask::Learn(const bus::Position& position) {
  const bool wanted = std::any_of(destinations_.begin(), destinations_.end(),
                                  [](const notify::Destination* one) { return one->Resends(); });
  if (!wanted) return;
  const auto reader = bus_->MakeConsumer({.fetch_wait = std::chrono::milliseconds(50)});
  std::map<std::string, alert::Alert> firing;
  const auto take = [&](const bus::InRecord& record) {
    if (record.offset >= position.offset) return;
    auto alert = wire::DecodeAlertJson(record.value);
    if (!alert || notify::Choose(*alert, options_.selection) != notify::Choice::kSend) return;
    firing.erase(alert->fingerprint);
    if (alert->state == alert::State::kFiring) firing.emplace(alert->fingerprint, std::move(*alert));
  };
  bus::ReadToEnd(*reader, {{position.at}}, take, stop_requested_);
  std::vector<alert::Alert> alerts;
  for (auto& [fingerprint, alert] : firing) alerts.push_back(std::move(alert));
  for (notify::Destination* destination : destinations_) destination->Learn(alerts);
}

bool NotifierTask::OnRecord(const bus::InRecord& record, slice::Outbox&) {
  using notify::Choice;
  ++counters_.records;
  Partition& partition = partitions_.at(record.from);
  partition.next_offset = record.offset + 1;
  const auto alert = wire::DecodeAlertJson(record.value);
  if (!alert) {
    slice::LogSkipped(log_, record, std::string(ToString(alert.error())), ++counters_.refused);
    return true;
  }
  const Choice choice = notify::Choose(*alert, options_.selection);
  if (choice == Choice::kPending) ++counters_.pending;
  if (choice == Choice::kSilenced) ++counters_.silenced;
  if (choice == Choice::kBelow) ++counters_.below;
  const bool is_old =
      choice == Choice::kSend && partition.send_from && record.produced_at < *partition.send_from;
  if (options_.trace) Trace(*alert, is_old ? "too old" : FateOf(choice));
  if (choice != Choice::kSend) return true;
  ++(is_old ? counters_.old : counters_.sent);
  if (is_old) return true;
  const notify::Origin origin{record.from.partition, record.offset};
  for (notify::Destination* destination : destinations_) destination->Offer(origin, *alert);
  return true;
}

void NotifierTask::Trace(const alert::Alert& alert, const std::string& fate) const {
  log_(base::LogLevel::kDebug, "alert " + wire::TraceIdOf(alert) + ": " + std::string(ToString(alert.state)) +
                                   " of " + alert.link + " (" + alert.fingerprint + "), " + fate);
}

std::vector<bus::Position> NotifierTask::Positions() const {
  std::vector<bus::Position> positions;
  for (const auto& [at, partition] : partitions_) {
    if (partition.next_offset == bus::kNoOffset) continue;
    std::int64_t offset = partition.next_offset;
    for (const notify::Destination* destination : destinations_)
      offset = std::min(offset, destination->OldestWaiting(at.partition).value_or(offset));
    positions.push_back({at, offset, ""});
  }
  return positions;
}

void NotifierTask::OnCommit(slice::Outbox&) { committed_ = Positions(); }

}  // namespace flowcast::services
