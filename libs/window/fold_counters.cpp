// Sums over all counters.
#include "libs/window/fold_counters.h"

namespace flowcast::window {
namespace {

constexpr std::uint64_t FoldCounters::*kCounters[] = {
    &FoldCounters::batches,          &FoldCounters::repeated_batches,  &FoldCounters::repeated_packets,
    &FoldCounters::missing_packets,  &FoldCounters::packets_in,        &FoldCounters::packets_in_windows,
    &FoldCounters::late_packets,     &FoldCounters::windows,           &FoldCounters::sequences,
    &FoldCounters::retired_links,    &FoldCounters::restarted_sources, &FoldCounters::gap_ns,
    &FoldCounters::vanished_sources, &FoldCounters::ahead_packets};

}  // namespace

FoldCounters& FoldCounters::operator+=(const FoldCounters& other) {
  for (const auto counter : kCounters) this->*counter += other.*counter;
  return *this;
}

FoldCounters& FoldCounters::operator-=(const FoldCounters& other) {
  for (const auto counter : kCounters) this->*counter -= other.*counter;
  return *this;
}

}  // namespace flowcast::window
