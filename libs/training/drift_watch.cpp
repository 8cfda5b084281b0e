// Sums of errors by blocks of event time.
#include "libs/training/drift_watch.h"

#include <algorithm>

namespace flowcast::training {

std::optional<double> DriftWatch::Sums::relative() const {
  if (count < kFewest || error_persistence <= 0) return std::nullopt;
  return error / error_persistence;
}

DriftWatch::Sums& DriftWatch::Sums::operator+=(const Sums& other) {
  error += other.error;
  error_persistence += other.error_persistence;
  count += other.count;
  return *this;
}

void DriftWatch::Restart() {
  blocks_.clear();
  first_.reset();
  at_first_.reset();
}

void DriftWatch::Add(const std::string& version, base::EventTime newest, const LiveError& live) {
  if (version.empty() || live.window_length.count() <= 0) return;
  if (version != version_) {
    if (newest <= newest_) return;  // of a link that lags behind
    version_ = version;
    began_.clear();
    Restart();
  }
  newest_ = std::max(newest_, newest);
  const base::EventTime began = began_.emplace(live.link, newest).first->second;
  if (live.made_at < began) return;
  const std::int64_t block =
      base::ToUnixNanoseconds(live.known_at) / (live.window_length.count() * kBlockWindows);
  if (!first_) first_ = block;
  if (block < *first_ || (!blocks_.empty() && block + kBlocks < blocks_.rbegin()->first)) return;
  blocks_[block] += {live.error, live.error_persistence, 1};
  if (!at_first_ && block >= *first_ + kBlocks) {
    Sums sums;
    for (const auto& [number, part] : blocks_) {
      if (number < block) sums += part;
    }
    at_first_ = sums.relative();
    if (at_first_) first_ = block;
  }
  while (blocks_.size() > 1 && blocks_.begin()->first + kBlocks < blocks_.rbegin()->first) {
    blocks_.erase(blocks_.begin());
  }
}

DriftWatch::Sums DriftWatch::Recent() const {
  Sums sums;
  for (const auto& [number, part] : blocks_) sums += part;
  return sums;
}

std::optional<double> DriftWatch::recent() const { return Recent().relative(); }

std::optional<double> DriftWatch::ratio() const {
  if (!at_first_ || *at_first_ <= 0 || blocks_.rbegin()->first < *first_ + kBlocks) return std::nullopt;
  const auto now = recent();
  if (!now) return std::nullopt;
  return *now / *at_first_;
}

}  // namespace flowcast::training
