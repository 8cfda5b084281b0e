// Progress in words.
#include "services/features/progress_report.h"

#include "libs/base/text.h"
#include "services/features/features_metrics.h"

namespace flowcast::services {

void FeaturesReport::Write(const slice::SliceCounters& counters) {
  publish_(FeaturesMetrics().Read(FactsOf(counters, task_)));
  const window::FoldCounters fold = task_.fold_counters();
  if (fold.repeated_packets > last_repeated_) {
    log_(base::LogLevel::kWarning, "dropped " + base::Grouped(fold.repeated_packets - last_repeated_) +
                                       " packets that were here before; was the same capture sent again? "
                                       "(--source gives it another name)");
    last_repeated_ = fold.repeated_packets;
  }
  if (fold.missing_packets > last_missing_) {
    log_(base::LogLevel::kWarning, base::Grouped(fold.missing_packets - last_missing_) +
                                       " packets are missing between batches: the capture dropped them, or "
                                       "packets.v1 keeps them for too short a time");
    last_missing_ = fold.missing_packets;
  }
  if (fold.restarted_sources > last_restarted_) {
    const auto gap = std::chrono::milliseconds((fold.gap_ns - last_gap_ns_) / 1'000'000);
    log_(base::LogLevel::kWarning, base::Grouped(fold.restarted_sources - last_restarted_) +
                                       " sources began afresh without having ended, " +
                                       base::FormatDuration(gap) +
                                       " after what they had told last; were their captures killed?");
    last_restarted_ = fold.restarted_sources;
    last_gap_ns_ = fold.gap_ns;
  }
  if (counters.records_in == last_records_) return;
  last_records_ = counters.records_in;
  const std::string rate = base::Short(packets_.Of(fold.packets_in));
  const base::EventTime watermark = task_.Watermark();
  const std::string until =
      watermark == base::kEndOfTime
          ? "all sources ended"
          : "event time " + base::FormatTime(base::AlignDown(watermark, std::chrono::seconds(1)));
  log_(base::LogLevel::kInfo, base::Grouped(fold.packets_in) + " packets (" + rate + "/s) -> " +
                                  base::Grouped(fold.windows) + " windows, " + base::Grouped(fold.sequences) +
                                  " sequences; watching " + base::Grouped(task_.link_count()) +
                                  " links, late " + base::Grouped(fold.late_packets) + ", " + until);
}

}  // namespace flowcast::services
