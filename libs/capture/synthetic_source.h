// Made-up packets for users without traffic: seeded, so the same settings give the same packets.
#pragma once

#include <string>
#include <vector>

#include "libs/base/random.h"
#include "libs/capture/packet_source.h"

namespace flowcast::capture {

struct SyntheticOptions {
  int links = 2;
  double packets_per_s = 100;  // mean of each link outside bursts
  double noise = 0.2;          // standard deviation of the rate, as a share of it, from second to second
  double pattern = 0.5;        // amplitude of the periodic pattern, as a share of the rate
  base::Duration period = std::chrono::hours(24);
  double bursts_per_hour = 6;                              // of each link
  double burst_factor = 5;                                 // how much the rate grows in a burst
  base::Duration burst_length = std::chrono::seconds(20);  // mean
  base::Duration duration = std::chrono::minutes(30);
  base::EventTime start = base::FromUnixNanoseconds(1'700'000'000'000'000'000);
  std::uint64_t seed = 1;
};

/// Second by second each link draws how many packets it has: Poisson around
/// rate x (1 + pattern sin(2 pi t / period)) x (1 + noise N(0, 1)), times burst_factor within a
/// burst, which rises over its first quarter. Packets are spread over the second at random.
class SyntheticSource : public PacketSource {
 public:
  /// Throws base::ConfigError for settings that make no sense, naming them.
  explicit SyntheticSource(const SyntheticOptions& options);

  PollState Poll(std::size_t limit, std::vector<packet::Packet>& packets) override;
  const std::vector<std::string>& interfaces() const override { return names_; }
  base::EventTime LowerBound() const override { return next_ < made_.size() ? made_[next_].time : second_; }
  SourceStatistics statistics() const override { return {.received = received_}; }

 private:
  struct Burst {
    base::EventTime from = base::kEndOfTime;
    base::EventTime to = base::kEndOfTime;
  };

  double RateOf(std::size_t link);
  double BurstFactor(std::size_t link);
  void MakeSecond();
  packet::Packet MakePacket(std::size_t link, base::EventTime time);

  SyntheticOptions options_;
  base::Random random_;
  std::vector<std::string> names_;
  std::vector<Burst> bursts_;
  base::EventTime second_;
  std::vector<packet::Packet> made_;
  std::size_t next_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace flowcast::capture
