// Addresses replaced so that networks stay networks: Crypto-PAn.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "libs/anonymize/key.h"
#include "libs/base/ip_address.h"

namespace flowcast::anonymize {

namespace internal {
class Aes128;
}

/// What becomes of multicast (224.0.0.0/4, ff00::/8) and of 255.255.255.255.
enum class Special {
  kKept,  // they stay what they are, multicast within its range; classes stay too (libs/anonymize/README.md)
  kMapped,  // like any other: Crypto-PAn to the bit
};

/// The mapping of Xu, Fan, Ammar and Moon ("Prefix-Preserving IP Address Anonymization", 2002),
/// for IPv4 and IPv6: one to one, and two addresses whose first n bits are the same, and no more,
/// are mapped to two of which the same holds. The same key gives the same mapping, everywhere.
/// Not thread-safe.
class PrefixPreserving {
 public:
  static constexpr std::size_t kDefaultCacheSlots = 16'384;

  /// The cache keeps one address a slot, a newer one in place of an older: 34 bytes each.
  explicit PrefixPreserving(const Key& key, Special special = Special::kKept,
                            std::size_t cache_slots = kDefaultCacheSlots);
  ~PrefixPreserving();
  PrefixPreserving(PrefixPreserving&&) noexcept;
  PrefixPreserving& operator=(PrefixPreserving&&) noexcept;

  /// From the cache where it is there. "No address" stays none.
  base::IpAddress Map(const base::IpAddress& address);
  base::IpAddress operator()(const base::IpAddress& address) { return Map(address); }

  /// Past the cache.
  base::IpAddress Compute(const base::IpAddress& address);

 private:
  struct Slot {
    base::IpAddress address;
    base::IpAddress mapped;
  };
  using Bytes = std::array<std::uint8_t, 16>;

  /// By bit from the first on: whether it is flipped, before the kept ones are left alone.
  Bytes Flips(const base::IpAddress& address, int bits);

  std::unique_ptr<internal::Aes128> aes_;
  Bytes padding_{};
  Special special_;
  std::vector<Slot> cache_;  // by hash
};

}  // namespace flowcast::anonymize
