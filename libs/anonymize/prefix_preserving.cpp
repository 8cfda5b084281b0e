// Crypto-PAn: bit i is flipped by what AES makes of the i bits before it.
#include "libs/anonymize/prefix_preserving.h"

#include <algorithm>
#include <bit>

#include "libs/anonymize/internal/aes.h"
#include "libs/base/hash.h"

namespace flowcast::anonymize {
namespace {

constexpr int kMostBits = 128;

struct KeptNetwork {
  base::IpAddress address;
  int prefix_bits;
};

// A prefix is kept by flipping none of its bits, which keeps the first bits of its neighbours too: as few as
// possible.
constexpr KeptNetwork kKept[] = {
    {{{224}, 4}, 4},                  // multicast
    {{{255, 255, 255, 255}, 4}, 32},  // broadcast
    {{{0xff}, 6}, 8},                 // multicast
};

int BitsOf(const base::IpAddress& address) { return address.version == 4 ? 32 : kMostBits; }

int CommonBits(const base::IpAddress& a, const base::IpAddress& b) {
  int bits = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i, bits += 8) {
    const auto difference = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (difference != 0) return bits + std::countl_zero(difference);
  }
  return bits;
}

/// How many of the first bits stay: bit i does when the i bits before it begin a kept network's prefix.
int KeptBits(const base::IpAddress& address) {
  int kept = 0;
  for (const KeptNetwork& network : kKept) {
    if (network.address.version != address.version) continue;
    kept = std::max(kept, std::min(CommonBits(address, network.address) + 1, network.prefix_bits));
  }
  return kept;
}

/// The mask of a byte's first `bits`, 0 to 8.
std::uint8_t FirstBits(int bits) { return static_cast<std::uint8_t>(0xff00 >> bits); }

}  // namespace

PrefixPreserving::PrefixPreserving(const Key& key, Special special, std::size_t cache_slots)
    : aes_(std::make_unique<internal::Aes128>(std::span(key.bytes).first<16>())),
      special_(special),
      cache_(std::bit_ceil(std::max<std::size_t>(cache_slots, 1))) {
  std::copy_n(key.bytes.begin() + 16, 16, padding_.begin());
  aes_->Encrypt(std::span(&padding_, 1));
}

PrefixPreserving::~PrefixPreserving() = default;
PrefixPreserving::PrefixPreserving(PrefixPreserving&&) noexcept = default;
PrefixPreserving& PrefixPreserving::operator=(PrefixPreserving&&) noexcept = default;

base::IpAddress PrefixPreserving::Map(const base::IpAddress& address) {
  const auto* bytes = reinterpret_cast<const char*>(address.bytes.data());
  const std::size_t used = address.version == 4 ? 4 : address.bytes.size();
  const std::uint64_t hash = base::Fnv1a64({bytes, used});
  Slot& slot = cache_[(hash ^ (hash >> 32)) & (cache_.size() - 1)];
  if (slot.address != address) slot = {address, Compute(address)};
  return slot.mapped;
}

base::IpAddress PrefixPreserving::Compute(const base::IpAddress& address) {
  if (address.version == 0) return address;
  Bytes flips = Flips(address, BitsOf(address));
  int kept = special_ == Special::kKept ? KeptBits(address) : 0;
  base::IpAddress mapped = address;
  for (std::size_t i = 0; i < flips.size(); ++i, kept -= 8) {
    mapped.bytes[i] ^= static_cast<std::uint8_t>(flips[i] & ~FirstBits(std::clamp(kept, 0, 8)));
  }
  return mapped;
}

PrefixPreserving::Bytes PrefixPreserving::Flips(const base::IpAddress& address, int bits) {
  std::array<internal::Block, kMostBits> blocks;
  Bytes input = padding_;  // the first i bits of the address, then the padding's
  for (int i = 0; i < bits; ++i) {
    blocks[static_cast<std::size_t>(i)] = input;
    const auto byte = static_cast<std::size_t>(i / 8);
    const std::uint8_t mask = FirstBits(i % 8 + 1);
    input[byte] = static_cast<std::uint8_t>((address.bytes[byte] & mask) | (padding_[byte] & ~mask));
  }
  aes_->Encrypt(std::span(blocks).first(static_cast<std::size_t>(bits)));
  Bytes flips{};
  for (int i = 0; i < bits; ++i) {
    const int first_bit = blocks[static_cast<std::size_t>(i)][0] >> 7;
    flips[static_cast<std::size_t>(i / 8)] |= static_cast<std::uint8_t>(first_bit << (7 - i % 8));
  }
  return flips;
}

}  // namespace flowcast::anonymize
