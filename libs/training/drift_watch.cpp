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
  measure_.blocks.clear();
  measure_.first.reset();
  measure_.at_first.reset();
}

void DriftWatch::Recall(const Measure& measure) {
  measure_ = measure;
  began_.clear();
  if (measure_.blocks.empty() || !measure_.first) Restart();
}

void DriftWatch::Add(const std::string& version, base::EventTime newest, const LiveError& live) {
  if (version.empty() || live.window_length.count() <= 0) return;
  if (version != measure_.version) {
    if (newest <= measure_.newest) return;  // of a link that lags behind
    measure_.version = version;
    began_.clear();
    Restart();
  }
  measure_.newest = std::max(measure_.newest, newest);
  const base::EventTime began = began_.emplace(live.link, newest).first->second;
  if (live.made_at < began) return;
  const std::int64_t block =
      base::ToUnixNanoseconds(live.known_at) / (live.window_length.count() * kBlockWindows);
  if (!measure_.first) measure_.first = block;
  if (block < *measure_.first ||
      (!measure_.blocks.empty() && block + kBlocks < measure_.blocks.rbegin()->first))
    return;
  measure_.blocks[block] += {live.error, live.error_persistence, 1};
  if (!measure_.at_first && block >= *measure_.first + kBlocks) {
    Sums sums;
    for (const auto& [number, part] : measure_.blocks) {
      if (number < block) sums += part;
    }
    measure_.at_first = sums.relative();
    if (measure_.at_first) measure_.first = block;
  }
  while (measure_.blocks.size() > 1 &&
         measure_.blocks.begin()->first + kBlocks < measure_.blocks.rbegin()->first) {
    measure_.blocks.erase(measure_.blocks.begin());
  }
}

DriftWatch::Sums DriftWatch::Recent() const {
  Sums sums;
  for (const auto& [number, part] : measure_.blocks) sums += part;
  return sums;
}

std::optional<double> DriftWatch::recent() const { return Recent().relative(); }

std::optional<double> DriftWatch::ratio() const {
  if (!measure_.at_first || *measure_.at_first <= 0 ||
      measure_.blocks.rbegin()->first < *measure_.first + kBlocks)
    return std::nullopt;
  const auto now = recent();
  if (!now) return std::nullopt;
  return *now / *measure_.at_first;
}

}  // namespace flowcast::training
