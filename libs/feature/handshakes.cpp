// A table of SYNs that wait for their answer.
#include "libs/feature/handshakes.h"

#include <algorithm>
#include <utility>

namespace flowcast::feature {
namespace {

packet::FlowKey OtherDirection(packet::FlowKey key) {
  std::swap(key.source, key.destination);
  std::swap(key.source_port, key.destination_port);
  return key;
}

}  // namespace

void Handshakes::Add(const packet::FlowKey& key, base::EventTime time, bool acknowledges, bool repeats) {
  const std::uint64_t hash = packet::HashForTable(acknowledges ? OtherDirection(key) : key) | 1;
  if (slots_.empty()) slots_.resize(4);
  Waiting* waiting = &Find(hash);
  if (!acknowledges) {
    if (waiting->hash == 0) {
      if (used_ == kMostFlows) {
        overflowed_ = true;
        return;
      }
      if (2 * ++used_ > slots_.size()) {
        Grow();
        waiting = &Find(hash);
      }
      waiting->hash = hash;
    }
    waiting->since = repeats ? base::kBeginningOfTime : time;
  } else if (waiting->since != base::kBeginningOfTime && !repeats) {
    ++count_;
    sum_ns_ += static_cast<std::uint64_t>(std::max(time - waiting->since, base::Duration::zero()).count());
    waiting->since = base::kBeginningOfTime;
  }
}

Handshakes::Waiting& Handshakes::Find(std::uint64_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = (hash >> 1) & mask;
  while (slots_[at].hash != 0 && slots_[at].hash != hash) at = (at + 1) & mask;
  return slots_[at];
}

void Handshakes::Grow() {
  const std::vector<Waiting> before = std::exchange(slots_, std::vector<Waiting>(2 * slots_.size()));
  for (const Waiting& waiting : before) {
    if (waiting.hash != 0) Find(waiting.hash) = waiting;
  }
}

}  // namespace flowcast::feature
