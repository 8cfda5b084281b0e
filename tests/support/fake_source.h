// A packet source that gives what a test put in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/capture/packet_source.h"
#include "tests/support/stream.h"

namespace flowcast::support {

inline packet::Packet PacketAt(double seconds, std::uint16_t interface = 0, int flow = 0) {
  packet::Packet packet{.time = At(seconds), .wire_length_bytes = 100};
  packet.interface = interface;
  packet.tcp_flags = packet::kTcpAck;
  packet.ttl = 64;
  packet.flow = Flow(flow);
  return packet;
}

class FakeSource : public capture::PacketSource {
 public:
  void Add(const packet::Packet& packet) { packets_.push_back(packet); }
  /// Gives everything again.
  void Rewind() {
    next_ = 0;
    counts = {};
  }

  capture::PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override {
    on_poll();
    std::size_t count = 0;
    for (; next_ < packets_.size() && count < std::min(limit, poll_limit); ++count) {
      packets.push_back(packets_[next_++]);
    }
    counts.received += count;
    if (count > 0) return capture::PollState::kPackets;
    return ends ? capture::PollState::kEnd : capture::PollState::kIdle;
  }
  const std::vector<std::string>& interfaces() const override { return names; }
  base::EventTime LowerBound() const override { return bound; }
  void TimeWentBack() override { went_back = true; }
  capture::SourceStatistics statistics() const override { return counts; }
  std::string Complaint() const override { return complaint; }

  std::vector<std::string> names{"eth0", "eth1"};
  std::size_t poll_limit = 1'000'000;
  bool ends = true;  // otherwise idle once everything was given
  base::EventTime bound = base::kBeginningOfTime;
  capture::SourceStatistics counts;
  bool went_back = false;
  std::string complaint;
  std::function<void()> on_poll = [] {};

 private:
  std::vector<packet::Packet> packets_;
  std::size_t next_ = 0;
};

}  // namespace flowcast::support
