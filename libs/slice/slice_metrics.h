// The metrics that all services of slices have.
#pragma once

#include <chrono>
#include <string>

#include "libs/slice/slice_loop.h"
#include "libs/telemetry/table.h"

namespace flowcast::slice {

/// Rows named `prefix`..., of what `counters_of` finds in the source.
template <typename Source>
void AddSliceMetrics(telemetry::Table<Source>& table, const std::string& prefix,
                     const SliceCounters& (*counters_of)(const Source&)) {
  const auto number = [counters_of](std::uint64_t SliceCounters::*member) {
    return [counters_of, member](const Source& source) { return counters_of(source).*member; };
  };
  table
      .Counter(prefix + "read_records_total", "Records read, those read again after a roll-back included.",
               number(&SliceCounters::records_in))
      .Counter(prefix + "written_records_total", "Records written and committed.",
               number(&SliceCounters::records_out))
      .Counter(prefix + "transactions_total", "Kafka transactions, by how they ended.", "result",
               {{"committed", number(&SliceCounters::commits)}, {"aborted", number(&SliceCounters::aborts)}})
      .Counter(prefix + "rebalances_total", "Assignments of partitions that were received.",
               number(&SliceCounters::rebalances))
      .Gauge(prefix + "unread_records",
             "Records that wait in Kafka behind those that were read, in the partitions of this instance. "
             "Unlike the "
             "group's lag this counts nothing that is done already.",
             [counters_of](const Source& source) -> std::optional<double> {
               return static_cast<double>(counters_of(source).unread);
             })
      .Gauge(prefix + "read_timestamp_seconds",
             "When the newest record that was read had been written to Kafka; time() less this is how far "
             "the service "
             "is behind, while records come.",
             [counters_of](const Source& source) -> std::optional<double> {
               const auto at = counters_of(source).produced_at;
               if (at.count() == 0) return std::nullopt;
               return std::chrono::duration<double>(at).count();
             });
}

}  // namespace flowcast::slice
