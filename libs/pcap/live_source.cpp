// Several interfaces as one source of packets.
#include "libs/pcap/live_source.h"

#include <poll.h>

#include <algorithm>
#include <set>

#include "libs/base/error.h"
#include "libs/pcap/internal/followed_interface.h"

namespace flowcast::pcap {
namespace {

using internal::FollowedInterface;

class LiveSource : public capture::PacketSource {
 public:
  LiveSource(const LiveOptions& options, base::Clock& clock)
      : options_(options), clock_(clock), bounds_(options.interfaces.size(), base::kBeginningOfTime) {
    for (const std::string& name : options_.interfaces) {
      const auto index = static_cast<std::uint16_t>(interfaces_.size());
      interfaces_.push_back(std::make_unique<FollowedInterface>(name, index, options_, clock));
    }
  }

  capture::PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override {
    if (TakeAll(limit, packets)) return capture::PollState::kPackets;
    if (!Failure().empty()) return capture::PollState::kEnd;
    Wait();
    return TakeAll(limit, packets) ? capture::PollState::kPackets : capture::PollState::kIdle;
  }
  const std::vector<std::string>& interfaces() const override { return options_.interfaces; }
  base::EventTime LowerBound() const override { return *std::ranges::min_element(bounds_); }
  void TimeWentBack() override { std::ranges::fill(bounds_, base::kBeginningOfTime); }
  capture::SourceStatistics statistics() const override;
  std::string Complaint() const override { return Failure(); }
  bool Failed() const override { return !Failure().empty(); }

 private:
  bool TakeAll(std::size_t limit, std::vector<packet::Packet>& packets);
  void Wait() const;
  std::string Failure() const;

  const LiveOptions options_;
  base::Clock& clock_;
  std::vector<std::unique_ptr<FollowedInterface>> interfaces_;
  std::vector<base::EventTime> bounds_;  // one an interface: nothing older is left in its ring
  std::size_t first_ = 0;                // whose turn it is to be asked first
};

// The interfaces take turns at the limit. An empty ring may still hide what came within the block
// time-out; of one that was not emptied, the packets taken are all that is known. One that is away
// has nothing to hide.
bool LiveSource::TakeAll(std::size_t limit, std::vector<packet::Packet>& packets) {
  std::size_t left = limit;
  const std::size_t begin = first_++;
  for (std::size_t i = 0; i < interfaces_.size() && left > 0; ++i) {
    const std::size_t index = (begin + i) % interfaces_.size();
    const base::EventTime visible = clock_.Now() - options_.block_timeout;
    const std::size_t taken = interfaces_[index]->Take(left, packets);
    const base::EventTime bound = taken < left ? visible : std::min(visible, interfaces_[index]->newest());
    bounds_[index] = std::max(bounds_[index], bound);
    left -= taken;
  }
  return left < limit;
}

void LiveSource::Wait() const {
  std::vector<pollfd> descriptors;  // poll passes over those below 0
  for (const auto& interface : interfaces_) descriptors.push_back({interface->descriptor(), POLLIN, 0});
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(options_.block_timeout).count();
  poll(descriptors.data(), descriptors.size(), static_cast<int>(milliseconds));
}

capture::SourceStatistics LiveSource::statistics() const {
  capture::SourceStatistics sum;
  for (const auto& interface : interfaces_) {
    const capture::SourceStatistics one = interface->ReadStatistics();
    sum.received += one.received;
    sum.dropped_by_kernel += one.dropped_by_kernel;
    sum.dropped_by_interface += one.dropped_by_interface;
    sum.undecodable += one.undecodable;
  }
  return sum;
}

std::string LiveSource::Failure() const {
  for (const auto& interface : interfaces_) {
    if (!interface->failure().empty()) return interface->failure();
  }
  return "";
}

void Check(const LiveOptions& options) {
  if (options.interfaces.empty())
    throw base::ConfigError("no interface to capture from; name one, like eth0");
  std::set<std::string> names;
  for (const std::string& name : options.interfaces) {
    if (!names.insert(name).second)
      throw base::ConfigError("interface " + name +
                              " is named twice; its packets would count twice: name it once");
  }
  for (const auto& [name, filter] : options.interface_filters) {
    if (!names.contains(name))
      throw base::ConfigError(
          "the filter '" + filter + "' is for interface " + name +
          ", which is not captured from; name that interface too, or leave the filter out");
  }
}

}  // namespace

std::unique_ptr<capture::PacketSource> OpenLive(const LiveOptions& options, base::Clock& clock) {
  Check(options);
  return std::make_unique<LiveSource>(options, clock);
}

}  // namespace flowcast::pcap
