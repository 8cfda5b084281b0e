// Several interfaces as one source of packets.
#include "libs/pcap/live_source.h"

#include <poll.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/pcap/internal/capture_handle.h"

namespace flowcast::pcap {
namespace {

using internal::CaptureHandle;

class LiveSource : public capture::PacketSource {
 public:
  LiveSource(const LiveOptions& options, base::Clock& clock)
      : names_(options.interfaces), block_timeout_(options.block_timeout), clock_(clock) {
    for (const std::string& name : names_) {
      const auto index = static_cast<std::uint16_t>(handles_.size());
      handles_.push_back(std::make_unique<CaptureHandle>(name, index, options));
      bounds_.push_back(base::kBeginningOfTime);
    }
  }

  capture::PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override {
    if (TakeAll(limit, packets)) return capture::PollState::kPackets;
    if (!Failure().empty()) return capture::PollState::kEnd;
    Wait();
    return TakeAll(limit, packets) ? capture::PollState::kPackets : capture::PollState::kIdle;
  }
  const std::vector<std::string>& interfaces() const override { return names_; }
  base::EventTime LowerBound() const override { return *std::ranges::min_element(bounds_); }
  capture::SourceStatistics statistics() const override;
  std::string Complaint() const override { return Failure(); }
  bool Failed() const override { return !Failure().empty(); }

 private:
  bool TakeAll(std::size_t limit, std::vector<packet::Packet>& packets);
  void Wait() const;
  std::string Failure() const;

  std::vector<std::string> names_;
  base::Duration block_timeout_;
  base::Clock& clock_;
  std::vector<std::unique_ptr<CaptureHandle>> handles_;
  std::vector<base::EventTime> bounds_;  // one an interface: nothing older is left in its ring
  std::size_t first_ = 0;                // whose turn it is to be asked first
};

// The interfaces take turns at the limit. An empty ring may still hide what came within the block
// time-out; of one that was not emptied, the packets taken are all that is known.
bool LiveSource::TakeAll(std::size_t limit, std::vector<packet::Packet>& packets) {
  std::size_t left = limit;
  const std::size_t begin = first_++;
  for (std::size_t i = 0; i < handles_.size() && left > 0; ++i) {
    const std::size_t index = (begin + i) % handles_.size();
    const base::EventTime visible = clock_.Now() - block_timeout_;
    const std::size_t taken = handles_[index]->Take(left, packets);
    const base::EventTime bound = taken < left ? visible : std::min(visible, handles_[index]->newest());
    bounds_[index] = std::max(bounds_[index], bound);
    left -= taken;
  }
  return left < limit;
}

void LiveSource::Wait() const {
  std::vector<pollfd> descriptors;
  for (const auto& handle : handles_) descriptors.push_back({handle->descriptor(), POLLIN, 0});
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(block_timeout_).count();
  poll(descriptors.data(), descriptors.size(), static_cast<int>(milliseconds));
}

capture::SourceStatistics LiveSource::statistics() const {
  capture::SourceStatistics sum;
  for (const auto& handle : handles_) {
    const auto drops = handle->ReadDrops();
    sum.dropped_by_kernel += drops.kernel;
    sum.dropped_by_interface += drops.interface;
    sum.undecodable += handle->undecodable();
    sum.received += handle->taken() + drops.kernel + drops.interface;
  }
  return sum;
}

std::string LiveSource::Failure() const {
  for (const auto& handle : handles_) {
    if (!handle->failure().empty()) return handle->failure();
  }
  return "";
}

}  // namespace

std::unique_ptr<capture::PacketSource> OpenLive(const LiveOptions& options, base::Clock& clock) {
  if (options.interfaces.empty())
    throw base::ConfigError("no interface to capture from; name one, like eth0");
  return std::make_unique<LiveSource>(options, clock);
}

}  // namespace flowcast::pcap
