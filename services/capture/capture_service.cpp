// The capture loop.
#include "services/capture/capture_service.h"

#include <algorithm>
#include <span>
#include <utility>

#include "libs/base/text.h"
#include "libs/trace/trace.h"
#include "libs/wire/packet_wire.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using capture::PollState;

constexpr std::size_t kPollPackets = 2048;
constexpr base::Duration kBatchAge = 50ms;
constexpr base::Duration kYoungestBatch = 30ms;
constexpr base::Duration kReportEvery = 1s;
constexpr base::Duration kClockStep = 1s;  // back by more than that is an epoch of its own

packet::SourceCounters Since(packet::SourceCounters now, const packet::SourceCounters& before) {
  now.received -= before.received;
  now.published -= before.published;
  now.filtered -= before.filtered;
  now.dropped_by_kernel -= before.dropped_by_kernel;
  now.dropped_by_interface -= before.dropped_by_interface;
  now.dropped_by_queue -= before.dropped_by_queue;
  now.dropped_by_spool -= before.dropped_by_spool;
  now.undecodable -= before.undecodable;
  return now;
}

}  // namespace

CaptureSummary CaptureService::Run() {
  began_ = last_tick_ = last_report_ = parts_.clock.Steady();
  bool complete = false;
  Count();
  parts_.progress(Summarize(complete));
  while (!complete && !parts_.stop_requested()) {
    complete = Step() == PollState::kEnd;
    ReportProgress();
  }
  // Without the final mark of its end a file that was stopped half-way can be sent again.
  if (complete || options_.live) {
    batcher_.Finish(ready_);
  } else {
    batcher_.Flush(ready_);
  }
  SendReady();
  parts_.delivery.Finish();
  Count();
  CaptureSummary summary = Summarize(complete);
  parts_.progress(summary);
  return summary;
}

/// By more than a step, since it was asked last.
bool CaptureService::ClockWentBack() {
  const base::Duration offset = parts_.clock.Now().time_since_epoch() - parts_.clock.Steady();
  const bool went_back = clock_offset_ && offset < *clock_offset_ - kClockStep;
  clock_offset_ = offset;
  return went_back;
}

/// Everything that comes from now on would be late in the old one, which gets what the source still has of
/// before.
void CaptureService::BeginEpoch() {
  const base::EventTime until = parts_.clock.Now() + kClockStep;
  std::span<const packet::Packet> rest;
  for (PollState state = PollState::kPackets; rest.empty() && state == PollState::kPackets;) {
    packets_.clear();
    state = parts_.source.Poll(kPollPackets, packets_);
    const auto split = std::find_if(packets_.begin(), packets_.end(),
                                    [until](const packet::Packet& packet) { return packet.time <= until; });
    Count(packets_.size());
    batcher_.Add({packets_.begin(), split}, parts_.source.interfaces(), ready_);
    rest = {split, packets_.end()};
  }
  batcher_.Finish(ready_);
  SendReady();
  ended_ = InThisRun();
  counters_before_ = counters_;
  counters_before_.received -= rest.size();
  options_.batches.epoch = options_.next_epoch();
  batcher_ = capture::Batcher(options_.batches);
  Count(rest.size());
  batcher_.Add(rest, parts_.source.interfaces(), ready_);
  parts_.source.TimeWentBack();
  last_bound_ = base::kBeginningOfTime;
  parts_.log(base::LogLevel::kWarning,
             "the host's clock was set back: what was captured before is closed, and a new epoch begins");
}

CaptureService::Seen CaptureService::InThisRun() const {
  Seen seen = ended_;
  seen.taken += batcher_.taken();
  for (std::size_t kind = 0; kind < packet::kKinds; ++kind) seen.by_kind[kind] += batcher_.by_kind()[kind];
  seen.out_of_order += batcher_.out_of_order();
  seen.stragglers += batcher_.stragglers();
  seen.links = std::max<std::uint64_t>(seen.links, batcher_.link_count());
  return seen;
}

PollState CaptureService::Step() {
  if (options_.live && ClockWentBack()) BeginEpoch();
  packets_.clear();
  const PollState state = parts_.source.Poll(kPollPackets, packets_);
  const std::vector<std::string>& interfaces = parts_.source.interfaces();
  Count(packets_.size());
  batcher_.Add(packets_, interfaces, ready_);
  if (options_.paced && TickIsDue()) {
    last_tick_ = parts_.clock.Steady();
    last_bound_ = parts_.source.LowerBound();
    batcher_.Tick(last_bound_, ready_);
  }
  SendReady();
  return state;
}

/// Windows end at multiples of 50 ms: a tick just after one tells it without delay.
bool CaptureService::TickIsDue() const {
  const base::Duration age = parts_.clock.Steady() - last_tick_;
  if (age >= kBatchAge) return true;
  return age >= kYoungestBatch && base::AlignDown(parts_.source.LowerBound(), kBatchAge) > last_bound_;
}

/// `coming` packets were received and are not in the batcher yet.
void CaptureService::Count(std::size_t coming) {
  const capture::SourceStatistics statistics = parts_.source.statistics();
  counters_.received = statistics.received;
  const delivery::Counters delivery = parts_.delivery.counters();
  counters_.filtered = statistics.filtered;
  counters_.dropped_by_kernel = statistics.dropped_by_kernel;
  counters_.dropped_by_interface = statistics.dropped_by_interface;
  counters_.dropped_by_queue = delivery.dropped_by_queue;
  counters_.dropped_by_spool = delivery.dropped_by_spool;
  counters_.undecodable = statistics.undecodable;
  batcher_.SetCounters(Since(counters_, counters_before_), coming);
}

void CaptureService::SendReady() {
  for (capture::AddressedBatch& ready : ready_) {
    std::string bytes = wire::Encode(ready.batch);
    ++batches_;
    bytes_ += bytes.size();
    if (options_.trace && ready.batch.size() > 0) Trace(ready);
    parts_.delivery.Send(ready.partition, std::move(bytes), ready.batch.size());
  }
  ready_.clear();
  parts_.delivery.Pump();
}

void CaptureService::Trace(const capture::AddressedBatch& ready) const {
  const packet::PacketBatch& batch = ready.batch;
  const auto [first, last] = std::minmax_element(batch.times.begin(), batch.times.end());
  parts_.log(base::LogLevel::kDebug,
             "batch " + trace::BatchName(batch.source, batch.epoch, ready.partition, batch.sequence) + ": " +
                 base::Grouped(batch.size()) + " packets from " + base::FormatTime(*first) + " to " +
                 base::FormatTime(*last) + " of " + base::Join(batch.links));
}

void CaptureService::ReportProgress() {
  const base::Duration now = parts_.clock.Steady();
  if (now - last_report_ < kReportEvery) return;
  const double seconds = base::ToSeconds(now - last_report_);
  const double rate = static_cast<double>(taken() - last_taken_) / seconds;
  const std::string until = taken() == 0
                                ? "no packets yet"
                                : "event time " + base::FormatTime(base::AlignDown(batcher_.newest(), 1s));
  const std::uint64_t lost = counters_.dropped() + counters_.undecodable;
  const std::uint64_t waiting = parts_.delivery.counters().waiting;
  parts_.log(base::LogLevel::kInfo,
             base::Grouped(taken()) + " packets (" + base::Short(rate) + "/s) in " + base::Grouped(batches_) +
                 " batches, " + until + (lost == 0 ? "" : ", dropped or undecodable " + base::Grouped(lost)) +
                 (waiting <= taken() - last_taken_ ? "" : ", waiting for Kafka " + base::Grouped(waiting)));
  Count();
  parts_.progress(Summarize(false));
  last_report_ = now;
  last_taken_ = taken();
}

CaptureSummary CaptureService::Summarize(bool complete) const {
  const delivery::Counters delivery = parts_.delivery.counters();
  packet::SourceCounters packets = counters_;
  packets.published = delivery.acknowledged;
  const Seen seen = InThisRun();
  return {.packets = packets,
          .unsent = seen.taken - delivery.acknowledged - packets.dropped_by_queue - packets.dropped_by_spool,
          .inherited = delivery.inherited,
          .by_kind = seen.by_kind,
          .out_of_order = seen.out_of_order,
          .stragglers = seen.stragglers,
          .links = seen.links,
          .batches = batches_,
          .bytes = bytes_,
          .watermark = batcher_.watermark(),
          .seconds = base::ToSeconds(parts_.clock.Steady() - began_),
          .complete = complete,
          .failed = parts_.source.Failed(),
          .complaint = parts_.source.Complaint()};
}

}  // namespace flowcast::services
