// From counters to names.
#include "services/notifier/notifier_metrics.h"

#include "libs/slice/slice_metrics.h"

namespace flowcast::services {
namespace {

using Facts = NotifierFacts;
using Table = telemetry::Table<Facts>;
using notify::DestinationCounters;

Table::Number Count(std::uint64_t NotifierCounters::*member) {
  return [member](const Facts& facts) { return facts.task.counters().*member; };
}

/// A number of each destination.
Table::RowsOf OfEach(std::function<double(const DestinationCounters&)> number) {
  return [number = std::move(number)](const Facts& facts) {
    Table::Rows rows;
    for (const notify::Destination* destination : facts.task.destinations())
      rows.push_back({{destination->name()}, number(destination->counters())});
    return rows;
  };
}

Table::RowsOf CountOfEach(std::uint64_t DestinationCounters::*member) {
  return OfEach(
      [member](const DestinationCounters& counters) { return static_cast<double>(counters.*member); });
}

Table::Rows GivenUp(const Facts& facts) {
  Table::Rows rows;
  for (const notify::Destination* destination : facts.task.destinations()) {
    const DestinationCounters counters = destination->counters();
    const auto add = [&](const std::string& reason, std::uint64_t count) {
      rows.push_back({{destination->name(), reason}, static_cast<double>(count)});
    };
    add("refused", counters.refused);
    add("expired", counters.expired);
    add("queue_full", counters.overflowed);
    add("moved", counters.forgotten);
  }
  return rows;
}

void AddDestinations(Table& table) {
  const std::vector<std::string> label{"destination"};
  table
      .Counter("flowcast_notifier_offered_alerts_total",
               "Alerts that a destination was to be told of. They add up to those delivered, given up and "
               "waiting.",
               label, CountOfEach(&DestinationCounters::offered))
      .Counter("flowcast_notifier_delivered_alerts_total", "Alerts that it took.", label,
               CountOfEach(&DestinationCounters::taken))
      .Counter(
          "flowcast_notifier_given_up_alerts_total",
          "Alerts that it was not told of: refused by it for good, expired (--give-up-after), the oldest of "
          "a full queue (--queue-limit), or moved to another instance, which begins with them anew.",
          {"destination", "reason"}, GivenUp)
      .Gauge("flowcast_notifier_waiting_alerts", "Alerts that wait for it.", label,
             CountOfEach(&DestinationCounters::waiting))
      .Gauge("flowcast_notifier_oldest_waiting_seconds", "How long the oldest of them has waited.", label,
             OfEach([](const DestinationCounters& counters) { return base::ToSeconds(counters.oldest); }))
      .Counter("flowcast_notifier_failed_attempts_total", "Attempts to be made again.", label,
               CountOfEach(&DestinationCounters::failures))
      .Gauge("flowcast_notifier_destination_failing", "1 while its last attempt failed.", label,
             OfEach([](const DestinationCounters& counters) { return counters.failing ? 1.0 : 0.0; }))
      .Counter("flowcast_notifier_resent_alerts_total",
               "Alerts that an Alertmanager was told of again because they are firing still.", label,
               CountOfEach(&DestinationCounters::resent));
}

Table MakeTable() {
  Table table;
  table.Counter(
      "flowcast_notifier_alerts_total",
      "Records of alerts.v1, by what became of them: for the destinations (sent), no alert of ours "
      "(refused), pending, silenced, below --severity, or written long before the group first ran (old).",
      "result",
      {{"sent", Count(&NotifierCounters::sent)},
       {"refused", Count(&NotifierCounters::refused)},
       {"pending", Count(&NotifierCounters::pending)},
       {"silenced", Count(&NotifierCounters::silenced)},
       {"below", Count(&NotifierCounters::below)},
       {"old", Count(&NotifierCounters::old)}});
  AddDestinations(table);
  slice::AddSliceMetrics<Facts>(
      table, "flowcast_notifier_",
      [](const Facts& facts) -> const slice::SliceCounters& { return facts.slices; });
  return table;
}

}  // namespace

const telemetry::Table<NotifierFacts>& NotifierMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
