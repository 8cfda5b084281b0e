// From counters to names.
#include "services/features/features_metrics.h"

#include "libs/slice/slice_metrics.h"

namespace flowcast::services {
namespace {

using Facts = FeaturesFacts;
using Table = telemetry::Table<Facts>;

Table::Number Fold(std::uint64_t window::FoldCounters::*member) {
  return [member](const Facts& facts) { return facts.fold.*member; };
}

Table::Number Task(std::uint64_t FeaturesCounters::*member) {
  return [member](const Facts& facts) { return facts.task.*member; };
}

Table MakeTable() {
  Table table;
  table
      .Counter("flowcast_features_packets_total", "Packets read, in batches that were not refused.",
               Fold(&window::FoldCounters::packets_in))
      .Counter("flowcast_features_folded_packets_total",
               "What became of them: in a window that was closed, too late for theirs, dated more than an "
               "hour ahead of their "
               "batch's watermark and dropped, or sent again and dropped. With "
               "flowcast_features_waiting_packets these add up to flowcast_features_packets_total, but for "
               "packets that "
               "waited when another instance, or the one before a restart, had read them.",
               "result",
               {{"in_window", Fold(&window::FoldCounters::packets_in_windows)},
                {"late", Fold(&window::FoldCounters::late_packets)},
                {"ahead", Fold(&window::FoldCounters::ahead_packets)},
                {"repeated", Fold(&window::FoldCounters::repeated_packets)}})
      .Gauge("flowcast_features_waiting_packets", "Packets in windows that are open.",
             [](const Facts& facts) { return facts.waiting_packets; })
      .Counter("flowcast_features_missing_packets_total", "Holes in the sources' sequence numbers.",
               Fold(&window::FoldCounters::missing_packets))
      .Counter("flowcast_features_batches_total", "Batches of packets that were folded.",
               Fold(&window::FoldCounters::batches))
      .Counter("flowcast_features_repeated_batches_total", "Of these, batches without anything new.",
               Fold(&window::FoldCounters::repeated_batches))
      .Counter("flowcast_features_refused_records_total", "Records that are no batch of packets.", "reason",
               {{"not_ours", Task(&FeaturesCounters::refused_not_ours)},
                {"version", Task(&FeaturesCounters::refused_version)},
                {"inconsistent", Task(&FeaturesCounters::refused_inconsistent)}})
      .Counter("flowcast_features_refolded_records_total",
               "Records read again after a restart or rebalance, to stand where the service stood.",
               Task(&FeaturesCounters::refolded))
      .Counter("flowcast_features_windows_total", "Windows closed.", Fold(&window::FoldCounters::windows))
      .Counter("flowcast_features_sequences_total", "Sequences made of them.",
               Fold(&window::FoldCounters::sequences))
      .Counter("flowcast_features_state_records_total",
               "Written to state.v1: snapshots of links, links that were forgotten, and progress.",
               Task(&FeaturesCounters::state_records))
      .Counter("flowcast_features_json_records_total", "Windows written to windows-json.v1 (--json-mirror).",
               Task(&FeaturesCounters::json_records))
      .Counter("flowcast_features_vanished_sources_total",
               "Sources that were not heard of for longer than --source-expiry.",
               Fold(&window::FoldCounters::vanished_sources))
      .Gauge("flowcast_features_links", "Links that are watched.",
             [](const Facts& facts) { return facts.links; })
      .Counter("flowcast_features_retired_links_total", "Links forgotten, since nothing came from them.",
               Fold(&window::FoldCounters::retired_links))
      .Counter("flowcast_features_restarted_sources_total", "Sources that began afresh.",
               Fold(&window::FoldCounters::restarted_sources))
      .Counter("flowcast_features_source_gap_seconds_total",
               "What these missed, in event time: from the last watermark of a source to the first packet "
               "after it began afresh. Both count once for each partition that the source has links on.",
               [](const Facts& facts) { return static_cast<double>(facts.fold.gap_ns) / 1e9; })
      .Gauge(
          "flowcast_features_watermark_timestamp_seconds",
          "The oldest watermark of a source that has not ended, in event time; absent without one. For live "
          "captures time() less this is how old a window is at least when it closes.",
          [](const Facts& facts) { return telemetry::TimestampSeconds(facts.watermark); });
  slice::AddSliceMetrics<Facts>(
      table, "flowcast_features_",
      [](const Facts& facts) -> const slice::SliceCounters& { return facts.slices; });
  return table;
}

}  // namespace

FeaturesFacts FactsOf(const slice::SliceCounters& slices, const FeaturesTask& task) {
  return {slices,          task.counters(), task.fold_counters(), task.link_count(), task.waiting_packets(),
          task.Watermark()};
}

const telemetry::Table<FeaturesFacts>& FeaturesMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
