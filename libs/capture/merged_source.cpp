// A merge by the packets at the front.
#include "libs/capture/merged_source.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace flowcast::capture {
namespace {

constexpr std::size_t kReadAhead = 1024;
constexpr std::size_t kMostComplaints = 3;

void AddTo(SourceStatistics& sum, const SourceStatistics& part) {
  sum.received += part.received;
  sum.filtered += part.filtered;
  sum.dropped_by_kernel += part.dropped_by_kernel;
  sum.dropped_by_interface += part.dropped_by_interface;
  sum.undecodable += part.undecodable;
}

}  // namespace

MergedSource::MergedSource(std::vector<MergePart> parts) : parts_(std::move(parts)) {
  std::ranges::stable_sort(parts_, {}, &MergePart::first);
}

PollState MergedSource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  std::size_t left = limit;
  while (left > 0) {
    OpenDue();
    Open* part = Oldest();
    if (part == nullptr) return PollState::kEnd;
    const base::EventTime until = NextBest(*part);
    do {
      packet::Packet& packet = packets.emplace_back(part->ahead[part->next++]);
      packet.interface = part->interfaces[packet.interface];
      newest_ = std::max(newest_, packet.time);
      --left;
    } while (left > 0 && part->next < part->ahead.size() && part->front() <= until);
  }
  return PollState::kPackets;
}

void MergedSource::OpenDue() {
  for (auto position = open_.begin(); position != open_.end();) {
    position = Refill(**position) ? std::next(position) : open_.erase(position);
  }
  const Open* oldest = Oldest();
  while (next_part_ < parts_.size() && (oldest == nullptr || parts_[next_part_].first <= oldest->front())) {
    auto part = std::make_unique<Open>();
    part->source = parts_[next_part_++].open();
    if (Refill(*part)) open_.push_back(std::move(part));
    oldest = Oldest();
  }
}

bool MergedSource::Refill(Open& part) {
  if (part.next < part.ahead.size()) return true;
  part.ahead.clear();
  part.next = 0;
  bool ended = false;
  while (part.ahead.empty() && !ended) ended = part.source->Poll(kReadAhead, part.ahead) == PollState::kEnd;
  MapInterfaces(part);
  if (part.ahead.empty()) Retire(*part.source);
  return !part.ahead.empty();
}

void MergedSource::MapInterfaces(Open& part) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
  const auto& theirs = part.source->interfaces();
  for (std::size_t i = part.interfaces.size(); i < theirs.size(); ++i) {
    const auto known = std::ranges::find(names_, theirs[i]);
    const auto index = std::min(static_cast<std::size_t>(known - names_.begin()), kMost);
    if (index == names_.size()) names_.push_back(index < kMost ? theirs[i] : "other");
    part.interfaces.push_back(static_cast<std::uint16_t>(index));
  }
}

MergedSource::Open* MergedSource::Oldest() {
  const auto oldest = std::ranges::min_element(open_, {}, [](const auto& part) { return part->front(); });
  return oldest == open_.end() ? nullptr : oldest->get();
}

/// Until when `chosen` may go on without another look at the rest.
base::EventTime MergedSource::NextBest(const Open& chosen) const {
  base::EventTime next = next_part_ < parts_.size() ? parts_[next_part_].first : base::kEndOfTime;
  for (const auto& part : open_) {
    if (part.get() != &chosen) next = std::min(next, part->front());
  }
  return next;
}

void MergedSource::Retire(const PacketSource& source) {
  AddTo(retired_, source.statistics());
  failed_ = failed_ || source.Failed();
  if (const std::string complaint = source.Complaint(); !complaint.empty()) complaints_.push_back(complaint);
}

base::EventTime MergedSource::LowerBound() const {
  if (open_.empty() && next_part_ == parts_.size()) return newest_;
  base::EventTime bound = next_part_ < parts_.size() ? parts_[next_part_].first : base::kEndOfTime;
  for (const auto& part : open_)
    bound = std::min(bound, part->next < part->ahead.size() ? part->front() : newest_);
  return bound;
}

SourceStatistics MergedSource::statistics() const {
  SourceStatistics sum = retired_;
  for (const auto& part : open_) {
    AddTo(sum, part->source->statistics());
    sum.received -= part->ahead.size() - part->next;
  }
  return sum;
}

std::string MergedSource::Complaint() const {
  std::string text;
  for (std::size_t i = 0; i < std::min(complaints_.size(), kMostComplaints); ++i)
    text += (text.empty() ? "" : "; ") + complaints_[i];
  if (complaints_.size() > kMostComplaints)
    text += "; and " + std::to_string(complaints_.size() - kMostComplaints) + " more files with damage";
  return text;
}

bool MergedSource::Failed() const {
  return failed_ || std::ranges::any_of(open_, [](const auto& part) { return part->source->Failed(); });
}

}  // namespace flowcast::capture
