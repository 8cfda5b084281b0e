// Replay against a clock.
#include "libs/capture/paced_source.h"

#include <algorithm>

namespace flowcast::capture {
namespace {
constexpr std::size_t kReadAhead = 1024;
}

PacedSource::PacedSource(std::unique_ptr<PacketSource> source, double speed, base::Clock& clock,
                         Anchor anchor)
    : source_(std::move(source)), speed_(speed), clock_(clock), anchor_(anchor) {}

bool PacedSource::Refill() {
  if (next_ < waiting_.size()) return true;
  waiting_.clear();
  next_ = 0;
  while (waiting_.empty()) {
    if (source_->Poll(kReadAhead, waiting_) == PollState::kEnd) break;
  }
  if (waiting_.empty()) return false;
  if (!started_) {
    started_ = true;
    from_ = anchor_ == Anchor::kClock ? clock_.Now() : waiting_.front().time;
    began_ = clock_.Steady();
  }
  return true;
}

base::EventTime PacedSource::ReplayTime() const {
  const double elapsed_ns = static_cast<double>((clock_.Steady() - began_).count()) * speed_;
  return from_ + base::Duration(static_cast<std::int64_t>(elapsed_ns));
}

/// Of the blocks of kBlock, real time, counted from 1970 in event time.
base::EventTime PacedSource::EndOfBlock(base::EventTime time) const {
  const auto block = base::Duration(
      std::max<std::int64_t>(static_cast<std::int64_t>(static_cast<double>(kBlock.count()) * speed_), 1));
  return base::AlignDown(time, block) + block;
}

PollState PacedSource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  if (!Refill()) return PollState::kEnd;
  const base::EventTime from = ReplayTime();
  if (waiting_[next_].time > from) {
    const base::EventTime until = std::min(waiting_[next_].time, EndOfBlock(from));
    const double event_wait_ns = static_cast<double>((until - from).count());
    clock_.SleepFor(base::Duration(static_cast<std::int64_t>(event_wait_ns / speed_) + 1));
  }
  const base::EventTime now = ReplayTime();
  std::size_t count = 0;
  while (next_ < waiting_.size() && count < limit && waiting_[next_].time <= now) {
    newest_ = std::max(newest_, waiting_[next_].time);
    packets.push_back(waiting_[next_++]);
    ++count;
  }
  return count > 0 ? PollState::kPackets : PollState::kIdle;
}

SourceStatistics PacedSource::statistics() const {
  SourceStatistics statistics = source_->statistics();
  statistics.received -= waiting_.size() - next_;
  return statistics;
}

base::EventTime PacedSource::LowerBound() const {
  if (!started_) return base::kBeginningOfTime;
  if (next_ < waiting_.size()) return std::min(ReplayTime(), waiting_[next_].time);
  return std::min(newest_, source_->LowerBound());
}

}  // namespace flowcast::capture
