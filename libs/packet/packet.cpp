// The hash of flow keys, their direction, and what destinations stand for.
#include "libs/packet/packet.h"

#include <cstring>
#include <random>

namespace flowcast::packet {
namespace {

__extension__ using Product = unsigned __int128;

std::uint64_t Load(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Both halves of the product depend on every bit of both factors; a factor of 0 does not swallow the other.
std::uint64_t Mix(std::uint64_t left, std::uint64_t right) {
  const Product product = Product{left} * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ left ^ right;
}

std::uint64_t HashAddress(const base::IpAddress& address, std::uint64_t first, std::uint64_t second) {
  return Mix(Load(address.bytes.data()) ^ first, Load(address.bytes.data() + 8) ^ second);
}

/// Nobody outside can tell.
std::uint64_t RandomWord() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::uint64_t Hash(const FlowKey& key, std::uint64_t first_seed, std::uint64_t second_seed) {
  // The constants are binary digits of pi, odd and with about as many ones as zeros; they keep the
  // two addresses apart, so that a flow and its answer differ.
  const std::uint64_t source =
      HashAddress(key.source, 0x243f6a8885a308d3 ^ first_seed, 0x13198a2e03707345 ^ second_seed);
  const std::uint64_t destination =
      HashAddress(key.destination, 0xa4093822299f31d1 ^ first_seed, 0x082efa98ec4e6c89 ^ second_seed);
  const std::uint64_t ports = std::uint64_t{key.source_port} << 48 |
                              std::uint64_t{key.destination_port} << 32 |
                              std::uint64_t{key.ether_type} << 16 | std::uint64_t{key.protocol} << 8 |
                              std::uint64_t{key.source.version} << 4 | key.destination.version;
  const std::uint64_t mixed = Mix(source ^ ports, destination ^ 0x452821e638d01377);
  return Mix(mixed, 0xbe5466cf34e90c6d);
}

}  // namespace

Cast CastOf(const base::IpAddress& destination) {
  const auto& bytes = destination.bytes;
  if (destination.version == 6) return bytes[0] == 0xff ? Cast::kMulticast : Cast::kUnicast;
  if (destination.version != 4) return Cast::kUnicast;
  if (bytes[0] >> 4 == 14) return Cast::kMulticast;
  const bool all_ones = (bytes[0] & bytes[1] & bytes[2] & bytes[3]) == 0xff;
  return all_ones ? Cast::kBroadcast : Cast::kUnicast;
}

std::string_view Name(Cast cast) {
  return cast == Cast::kUnicast ? "unicast" : cast == Cast::kMulticast ? "multicast" : "broadcast";
}

std::size_t FlowKeyHash::operator()(const FlowKey& key) const noexcept { return Hash(key, 0, 0); }

std::uint64_t HashForTable(const FlowKey& key) {
  static const std::uint64_t first_seed = RandomWord(), second_seed = RandomWord();
  return Hash(key, first_seed, second_seed);
}

Direction DirectionOf(const FlowKey& flow, const base::CidrSet& home_net) {
  const bool from_home = home_net.Contains(flow.source);
  const bool to_home = home_net.Contains(flow.destination);
  if (from_home) return to_home ? Direction::kInternal : Direction::kUplink;
  return to_home ? Direction::kDownlink : Direction::kTransit;
}

}  // namespace flowcast::packet
