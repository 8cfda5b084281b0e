// Passes over a recording.
#include "libs/capture/replay_source.h"

#include <algorithm>
#include <utility>

namespace flowcast::capture {

ReplaySource::ReplaySource(Opener open, const ReplayOptions& options)
    : open_(std::move(open)), options_(options), source_(open_()) {
  LearnNames();
}

PollState ReplaySource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  const std::size_t before = packets.size();
  const PollState state = source_->Poll(limit, packets);
  LearnNames();
  for (std::size_t i = before; i < packets.size(); ++i) {
    if (packets_in_pass_++ == 0) BeginPass(packets[i]);
    packets[i].time += shift_;
    newest_ = std::max(newest_, packets[i].time);
  }
  if (state == PollState::kEnd && options_.loop && NextPass()) return PollState::kPackets;
  return state;
}

void ReplaySource::BeginPass(const packet::Packet& first) {
  if (first_pass_ && options_.rebase_to) shift_ = *options_.rebase_to - first.time;
  if (!first_pass_) shift_ = pass_began_ - first.time;
  pass_began_ = first.time + shift_;
}

bool ReplaySource::NextPass() {
  if (packets_in_pass_ == 0) return false;
  const auto gaps = static_cast<std::int64_t>(packets_in_pass_ - 1);
  const base::Duration gap = gaps == 0 ? std::chrono::seconds(1) : (newest_ - pass_began_) / gaps;
  pass_began_ = newest_ + std::max(gap, base::Duration(1));
  before_ = statistics();
  if (complaint_.empty()) complaint_ = source_->Complaint();
  failed_ = Failed();
  source_ = open_();
  first_pass_ = false;
  packets_in_pass_ = 0;
  return true;
}

void ReplaySource::LearnNames() {
  const auto& theirs = source_->interfaces();
  for (std::size_t i = names_.size(); i < theirs.size(); ++i) names_.push_back(theirs[i]);
}

base::EventTime ReplaySource::LowerBound() const {
  if (packets_in_pass_ == 0) return first_pass_ ? base::kBeginningOfTime : pass_began_;
  return source_->LowerBound() + shift_;
}

SourceStatistics ReplaySource::statistics() const {
  SourceStatistics sum = source_->statistics();
  sum.received += before_.received;
  sum.filtered += before_.filtered;
  sum.undecodable += before_.undecodable;
  return sum;
}

std::string ReplaySource::Complaint() const { return complaint_.empty() ? source_->Complaint() : complaint_; }

}  // namespace flowcast::capture
