// Tables for drawing, and the addresses of flows.
#include "libs/synthetic/packet_maker.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "libs/synthetic/arithmetic.h"

namespace flowcast::synthetic {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmp6 = 58;

std::uint32_t Below(base::Random& random, std::uint32_t bound) {
  return static_cast<std::uint32_t>((random.Next() >> 32) * bound >> 32);
}

MixTable::Kind KindOf(const Conversation& conversation) {
  const Sizes& up = conversation.up_bytes;
  const Sizes& down = conversation.down_bytes;
  const std::uint8_t protocol = conversation.protocol;
  return {.protocol = protocol,
          .port = conversation.port,
          .has_ports = protocol == 6 || protocol == 17 || protocol == 132,
          .traffic_class = static_cast<std::uint8_t>(conversation.dscp * 4),
          .down_below = static_cast<std::uint32_t>(std::lround(conversation.down_share * 65536)),
          .size_from = {up.least, down.least},
          .size_range = {up.most - up.least + 1, down.most - down.least + 1},
          .flow_packets = conversation.flow_packets};
}

base::IpAddress Client(bool ipv6, int network, std::uint32_t host) {
  const auto high = static_cast<std::uint8_t>(network / 256);
  const auto low = static_cast<std::uint8_t>(network % 256);
  const auto last = static_cast<std::uint8_t>(host);
  if (!ipv6) return {.bytes = {10, high, low, last}, .version = 4};
  return {.bytes = {0xfd, 0x10, 0, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}, .version = 6};
}

base::IpAddress Server(bool ipv6, std::uint32_t server) {
  const auto high = static_cast<std::uint8_t>(server / 256);
  const auto low = static_cast<std::uint8_t>(server % 256);
  if (!ipv6) return {.bytes = {198, 18, high, low}, .version = 4};
  return {.bytes = {0x20, 0x01, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, high, low}, .version = 6};
}

}  // namespace

MixTable::MixTable(const Mix& mix, int flows) {
  double sum = 0;
  for (const Conversation& conversation : mix.conversations) sum += conversation.share;
  std::vector<double> shares;
  std::uint32_t first_flow = 0;
  for (const Conversation& conversation : mix.conversations) {
    shares.push_back(conversation.share / sum);
    Kind kind = KindOf(conversation);
    kind.first_flow = first_flow;
    kind.flows = std::max(1U, static_cast<std::uint32_t>(std::lround(shares.back() * flows)));
    first_flow += kind.flows;
    kinds_.push_back(kind);
  }
  FillColumns(std::move(shares));
}

/// Each column is filled up to an equal part: a kind with less takes the rest from one with more.
void MixTable::FillColumns(std::vector<double> shares) {
  const std::size_t count = std::bit_ceil(shares.size());
  columns_.resize(count);
  mask_ = count - 1;
  shares.resize(count);
  for (double& share : shares) share *= static_cast<double>(count);
  std::vector<bool> filled(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t least = 0;
    while (filled[least]) ++least;
    for (std::size_t j = least + 1; j < count; ++j) {
      if (!filled[j] && shares[j] < shares[least]) least = j;
    }
    const auto most =
        static_cast<std::size_t>(std::max_element(shares.begin(), shares.end()) - shares.begin());
    const double own = std::min(1.0, shares[least]);
    columns_[least] = {static_cast<std::uint32_t>(std::lround(own * 0x100000)),
                       static_cast<std::uint32_t>(most)};
    filled[least] = true;
    shares[most] -= 1 - own;
    if (least != most) shares[least] = 0;
  }
}

PacketMaker::PacketMaker(const MixTable& mix, const LinkAddresses& addresses, std::uint16_t interface,
                         base::Random& random)
    : mix_(&mix), addresses_(addresses), interface_(interface) {
  for (const MixTable::Kind& kind : mix.kinds()) {
    for (std::uint32_t i = 0; i < kind.flows; ++i) Begin(flows_.emplace_back(), kind, random);
  }
}

void PacketMaker::Begin(Flow& flow, const MixTable::Kind& kind, base::Random& random) const {
  const bool ipv6 = addresses_.ipv6_share > 0 && random.Uniform() < addresses_.ipv6_share;
  const std::uint32_t server = 1 + Below(random, static_cast<std::uint32_t>(addresses_.servers));
  const std::uint32_t host = 1 + Below(random, static_cast<std::uint32_t>(addresses_.hosts));
  flow.ends[0] = Client(ipv6, addresses_.network, host);
  flow.ends[1] = Server(ipv6, server);
  flow.ether_type = ipv6 ? 0x86dd : 0x0800;
  flow.protocol = ipv6 && kind.protocol == kIcmp ? kIcmp6 : kind.protocol;
  flow.ports[0] = kind.has_ports ? static_cast<std::uint16_t>(32'768 + Below(random, 28'232)) : 0;
  flow.ports[1] = kind.has_ports ? kind.port : 0;
  flow.ttl[0] = 64;
  flow.ttl[1] = static_cast<std::uint8_t>(64 - server % 16);
  flow.fresh = true;
  const double more = (kind.flow_packets - 1) * ExponentialTable()(random);
  flow.left = 1 + static_cast<std::uint32_t>(std::min(4e9, more + 0.5));
}

}  // namespace flowcast::synthetic
