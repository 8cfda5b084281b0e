// The generator's arithmetic.
#include "libs/capture/synthetic_source.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "libs/base/error.h"

namespace flowcast::capture {
namespace {

using namespace std::chrono_literals;

struct Conversation {
  std::uint8_t protocol;
  std::uint16_t port;
  std::uint32_t small_bytes;
  std::uint32_t large_bytes;
  double large_share;
};
constexpr Conversation kConversations[] = {{6, 443, 66, 1514, 0.7}, {17, 443, 80, 1292, 0.8},
                                           {17, 53, 82, 180, 0.5},  {6, 22, 66, 130, 0.5},
                                           {1, 0, 98, 98, 1.0},     {17, 5004, 214, 214, 1.0}};
constexpr double kShares[] = {0.5, 0.2, 0.08, 0.05, 0.02, 0.15};

std::size_t Draw(base::Random& random) {
  double rest = random.Uniform();
  std::size_t i = 0;
  while (i + 1 < std::size(kShares) && rest >= kShares[i]) rest -= kShares[i++];
  return i;
}

base::IpAddress Address(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  base::IpAddress address{.version = 4};
  address.bytes = {a, b, c, d};
  return address;
}

base::Duration Seconds(double seconds) { return base::Duration(static_cast<std::int64_t>(seconds * 1e9)); }

/// Poisson by the normal approximation above 50, by multiplication (Knuth) below.
std::size_t Poisson(base::Random& random, double mean) {
  if (mean > 50)
    return static_cast<std::size_t>(std::max(0.0, std::round(mean + std::sqrt(mean) * random.Normal())));
  const double limit = std::exp(-mean);
  std::size_t count = 0;
  double product = random.Uniform();
  while (product > limit) {
    product *= random.Uniform();
    ++count;
  }
  return count;
}

void Require(bool holds, const char* what) {
  if (!holds) throw base::ConfigError(what);
}

}  // namespace

SyntheticSource::SyntheticSource(const SyntheticOptions& options)
    : options_(options), random_(options.seed), second_(options.start) {
  Require(options.links >= 1 && options.links <= 10'000, "--links must be from 1 to 10000");
  Require(options.packets_per_s > 0 && options.packets_per_s <= 1e7,
          "--rate must be above 0 and at most 1e7 packets/s");
  Require(options.noise >= 0 && options.noise <= 2, "--noise must be from 0 to 2");
  Require(options.pattern >= 0 && options.pattern <= 1, "--pattern must be from 0 to 1");
  Require(options.period > 0s, "--period must be above 0");
  Require(options.burst_factor >= 1, "--burst-factor must be at least 1");
  Require(options.bursts_per_hour >= 0, "--bursts-per-hour must not be negative");
  for (int i = 0; i < options.links; ++i) names_.push_back("link" + std::to_string(i));
  bursts_.resize(names_.size());
}

PollState SyntheticSource::Poll(std::size_t limit, std::vector<packet::Packet>& packets) {
  while (next_ == made_.size()) {
    if (second_ >= options_.start + options_.duration) return PollState::kEnd;
    MakeSecond();
  }
  const std::size_t count = std::min(limit, made_.size() - next_);
  const auto from = made_.begin() + static_cast<std::ptrdiff_t>(next_);
  packets.insert(packets.end(), from, from + static_cast<std::ptrdiff_t>(count));
  next_ += count;
  received_ += count;
  return PollState::kPackets;
}

void SyntheticSource::MakeSecond() {
  made_.clear();
  next_ = 0;
  for (std::size_t link = 0; link < names_.size(); ++link) {
    const std::size_t count = Poisson(random_, RateOf(link));
    for (std::size_t i = 0; i < count; ++i)
      made_.push_back(MakePacket(link, second_ + Seconds(random_.Uniform())));
  }
  std::stable_sort(made_.begin(), made_.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  second_ += 1s;
}

double SyntheticSource::RateOf(std::size_t link) {
  const double turns = base::ToSeconds(second_ - options_.start) / base::ToSeconds(options_.period);
  // Links are out of step with each other, as time zones are.
  const double phase = static_cast<double>(link) / static_cast<double>(names_.size());
  const double periodic = 1 + options_.pattern * std::sin(2 * std::numbers::pi * (turns + phase));
  const double noisy = std::max(0.0, 1 + options_.noise * random_.Normal());
  return options_.packets_per_s * periodic * noisy * BurstFactor(link);
}

double SyntheticSource::BurstFactor(std::size_t link) {
  if (options_.bursts_per_hour == 0) return 1;
  Burst& burst = bursts_[link];
  if (burst.from == base::kEndOfTime || second_ >= burst.to) {
    burst.from = second_ + 1s + Seconds(random_.Exponential(3600 / options_.bursts_per_hour));
    burst.to = burst.from + 4s + Seconds(random_.Exponential(base::ToSeconds(options_.burst_length)));
  }
  if (second_ < burst.from) return 1;
  const double rise = base::ToSeconds(second_ - burst.from) / (base::ToSeconds(burst.to - burst.from) / 4);
  return 1 + (options_.burst_factor - 1) * std::min(1.0, rise);
}

packet::Packet SyntheticSource::MakePacket(std::size_t link, base::EventTime time) {
  const Conversation& conversation = kConversations[Draw(random_)];
  const bool large = random_.Uniform() < conversation.large_share;
  const auto host = static_cast<std::uint8_t>(1 + random_.Below(200));
  const auto client_port = static_cast<std::uint16_t>(32768 + random_.Below(64) + std::uint64_t{64} * host);
  const base::IpAddress client =
      Address(10, static_cast<std::uint8_t>(link / 256), static_cast<std::uint8_t>(link), host);
  const base::IpAddress server = Address(198, 18, 0, static_cast<std::uint8_t>(1 + random_.Below(20)));
  packet::Packet packet{.time = time,
                        .wire_length_bytes = large ? conversation.large_bytes : conversation.small_bytes};
  packet.interface = static_cast<std::uint16_t>(link);
  packet.ttl = 64;
  packet.flow = {server, client, conversation.port, client_port, 0x0800, conversation.protocol};
  if (!large) {
    std::swap(packet.flow.source, packet.flow.destination);
    std::swap(packet.flow.source_port, packet.flow.destination_port);
  }
  if (conversation.protocol == 1) packet.flow.source_port = packet.flow.destination_port = 0;
  if (conversation.protocol == 6)
    packet.tcp_flags = random_.Uniform() < 0.02 ? packet::kTcpSyn : packet::kTcpAck;
  return packet;
}

}  // namespace flowcast::capture
