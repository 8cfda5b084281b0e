// The loop of the capture service and the fold of the feature service, without a topic between.
#include "libs/offline/offline_fold.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace flowcast::offline {
namespace {

constexpr std::size_t kPollPackets = 2048;

capture::BatcherOptions InOnePartition(capture::BatcherOptions options) {
  options.partitions = 1;
  return options;
}

}  // namespace

OfflineFold::OfflineFold(capture::PacketSource& source, const OfflineOptions& options)
    : source_(source), batcher_(InOnePartition(options.batches)), fold_(options.fold) {}

bool OfflineFold::Step(std::vector<window::ClosedWindow>& closed) {
  if (ended_) return false;
  packets_.clear();
  ended_ = source_.Poll(kPollPackets, packets_) == capture::PollState::kEnd;
  batcher_.Add(packets_, source_.interfaces(), ready_);
  if (ended_) batcher_.Finish(ready_);
  FoldReady(closed);
  return !ended_;
}

void OfflineFold::FoldReady(std::vector<window::ClosedWindow>& closed) {
  const auto begin = static_cast<std::ptrdiff_t>(closed.size());
  for (const capture::AddressedBatch& ready : std::exchange(ready_, {})) {
    window::FoldOutput output;
    fold_.Apply(ready.batch, offset_++, output);
    std::move(output.closed.begin(), output.closed.end(), std::back_inserter(closed));
  }
  // What a later batch closes starts later: a boundary closes all links' windows before it.
  std::sort(closed.begin() + begin, closed.end(),
            [](const window::ClosedWindow& one, const window::ClosedWindow& other) {
              return std::tie(one.window.start, one.window.link) <
                     std::tie(other.window.start, other.window.link);
            });
}

}  // namespace flowcast::offline
