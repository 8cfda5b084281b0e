// The capture loop.
#include "services/capture/capture_service.h"

#include <utility>

#include "libs/base/text.h"
#include "libs/wire/packet_wire.h"

namespace flowcast::services {
namespace {

using namespace std::chrono_literals;
using capture::PollState;

constexpr std::size_t kPollPackets = 2048;
constexpr base::Duration kBatchAge = 50ms;
constexpr base::Duration kReportEvery = 1s;
constexpr std::chrono::milliseconds kFlushTimeout = 60s;

}  // namespace

CaptureSummary CaptureService::Run() {
  began_ = last_tick_ = last_report_ = parts_.clock.Steady();
  bool complete = false;
  while (!complete && !parts_.stop_requested()) {
    complete = Step() == PollState::kEnd;
    ReportProgress();
  }
  // What is open of a file that was stopped half-way is not sent: when the file is sent again, batch
  // n must hold the same packets. Anything else has ended.
  if (complete || options_.live) batcher_.Finish(ready_);
  SendReady();
  parts_.producer.Flush(kFlushTimeout);
  Count();
  return Summarize(complete);
}

PollState CaptureService::Step() {
  packets_.clear();
  const PollState state = parts_.source.Poll(kPollPackets, packets_);
  for (const packet::Packet& packet : packets_) Add(packet);
  Count();
  const base::Duration now = parts_.clock.Steady();
  if (options_.live && now - last_tick_ >= kBatchAge) {
    last_tick_ = now;
    batcher_.Tick(parts_.source.LowerBound(), ready_);
  }
  TickTo(parts_.source.LowerBound());
  SendReady();
  return state;
}

void CaptureService::Add(const packet::Packet& packet) {
  if (next_replay_tick_ == base::kBeginningOfTime) next_replay_tick_ = packet.time + options_.replay_tick;
  TickTo(packet.time);
  batcher_.Add(packet, parts_.source.interfaces(), ready_);
}

void CaptureService::TickTo(base::EventTime time) {
  if (options_.replay_tick == base::Duration::zero() || next_replay_tick_ == base::kBeginningOfTime) return;
  for (; time >= next_replay_tick_; next_replay_tick_ += options_.replay_tick) {
    batcher_.Tick(next_replay_tick_, ready_);
  }
}

void CaptureService::Count() {
  const capture::SourceStatistics statistics = parts_.source.statistics();
  counters_ = {.received = statistics.received,
               .published = batcher_.published(),
               .filtered = statistics.filtered,
               .dropped = statistics.dropped_by_kernel + statistics.dropped_by_interface,
               .undecodable = statistics.undecodable};
  batcher_.SetCounters(counters_);
}

void CaptureService::SendReady() {
  for (capture::AddressedBatch& ready : ready_) {
    std::string bytes = wire::Encode(ready.batch);
    ++batches_;
    bytes_ += bytes.size();
    parts_.producer.Send({.to = {options_.topic, ready.partition}, .key = {}, .value = std::move(bytes)});
  }
  ready_.clear();
}

void CaptureService::ReportProgress() {
  const base::Duration now = parts_.clock.Steady();
  if (now - last_report_ < kReportEvery) return;
  const double seconds = base::ToSeconds(now - last_report_);
  const double rate = static_cast<double>(batcher_.taken() - last_taken_) / seconds;
  const std::string until = batcher_.taken() == 0
                                ? "no packets yet"
                                : "event time " + base::FormatTime(base::AlignDown(batcher_.newest(), 1s));
  const std::uint64_t lost = counters_.dropped + counters_.undecodable;
  parts_.log(base::LogLevel::kInfo, base::Grouped(batcher_.taken()) + " packets (" + base::Short(rate) +
                                        "/s) in " + base::Grouped(batches_) + " batches, " + until +
                                        (lost == 0 ? "" : ", dropped or undecodable " + base::Grouped(lost)));
  last_report_ = now;
  last_taken_ = batcher_.taken();
}

CaptureSummary CaptureService::Summarize(bool complete) const {
  return {.packets = counters_,
          .kept_back = batcher_.waiting(),
          .batches = batches_,
          .bytes = bytes_,
          .seconds = base::ToSeconds(parts_.clock.Steady() - began_),
          .complete = complete,
          .failed = parts_.source.Failed(),
          .complaint = parts_.source.Complaint()};
}

}  // namespace flowcast::services
