// From the summary so far to names.
#include "services/capture/capture_metrics.h"

#include "libs/packet/kind.h"

namespace flowcast::services {
namespace {

using Facts = CaptureSummary;
using Table = telemetry::Table<Facts>;

Table::Number Packets(std::uint64_t packet::SourceCounters::*member) {
  return [member](const Facts& facts) { return facts.packets.*member; };
}

Table::Number Count(std::uint64_t CaptureSummary::*member) {
  return [member](const Facts& facts) { return facts.*member; };
}

Table::Parts ByKind() {
  Table::Parts parts;
  for (std::size_t i = 0; i < packet::kKinds; ++i) {
    parts.emplace_back(Name(static_cast<packet::Kind>(i)),
                       [i](const Facts& facts) { return facts.by_kind[i]; });
  }
  return parts;
}

void AddPackets(Table& table) {
  using packet::SourceCounters;
  table
      .Counter("flowcast_capture_received_packets_total",
               "Packets that the source had for us, those that were dropped on the way included. The sum of "
               "published, unsent, filtered, dropped and undecodable ones.",
               Packets(&SourceCounters::received))
      .Counter("flowcast_capture_published_packets_total", "Packets that Kafka has acknowledged.",
               Packets(&SourceCounters::published))
      .Gauge("flowcast_capture_unsent_packets",
             "Packets in open batches, on their way to Kafka or in the spool.",
             Count(&CaptureSummary::unsent))
      .Gauge("flowcast_capture_inherited_packets", "Packets of an earlier run that are in the spool still.",
             Count(&CaptureSummary::inherited))
      .Counter("flowcast_capture_filtered_packets_total", "Packets that the BPF filter left out.",
               Packets(&SourceCounters::filtered))
      .Counter("flowcast_capture_dropped_packets_total",
               "Packets lost: the kernel's ring was full, the card or its driver had no room, Kafka was away "
               "and there "
               "was no spool, or the spool was full.",
               "reason",
               {{"kernel", Packets(&SourceCounters::dropped_by_kernel)},
                {"interface", Packets(&SourceCounters::dropped_by_interface)},
                {"queue", Packets(&SourceCounters::dropped_by_queue)},
                {"spool", Packets(&SourceCounters::dropped_by_spool)}})
      .Counter("flowcast_capture_undecodable_packets_total", "Frames that make no sense.",
               Packets(&SourceCounters::undecodable))
      .Counter("flowcast_capture_packets_by_kind_total",
               "Packets put into batches, by what they are: published, unsent, or dropped by queue or spool.",
               "kind", ByKind());
}

Table MakeTable() {
  Table table;
  AddPackets(table);
  table
      .Counter("flowcast_capture_out_of_order_packets_total", "Packets older than one before them.",
               Count(&CaptureSummary::out_of_order))
      .Counter("flowcast_capture_straggling_packets_total",
               "Of these, by more than the reorder tolerance: features may count them as late.",
               Count(&CaptureSummary::stragglers))
      .Gauge("flowcast_capture_links", "Links that were seen.", Count(&CaptureSummary::links))
      .Counter("flowcast_capture_batches_total", "Batches sent, empty ones included.",
               Count(&CaptureSummary::batches))
      .Counter("flowcast_capture_batch_bytes_total", "Bytes of these, before Kafka's compression.",
               Count(&CaptureSummary::bytes))
      .Gauge("flowcast_capture_watermark_timestamp_seconds",
             "No packet older than this follows, in event time; absent before the first batch.",
             [](const Facts& facts) { return telemetry::TimestampSeconds(facts.watermark); });
  return table;
}

}  // namespace

const telemetry::Table<CaptureSummary>& CaptureMetrics() {
  static const Table table = MakeTable();
  return table;
}

}  // namespace flowcast::services
