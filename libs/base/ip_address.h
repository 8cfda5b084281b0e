// IP addresses and the networks they belong to.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace flowcast::base {

/// An IPv4 or IPv6 address in network byte order; an IPv4 address fills the first four bytes and
/// leaves the rest zero. Version 0 is "no address".
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t version = 0;

  auto operator<=>(const IpAddress&) const = default;
};

/// Dotted or colon notation; throws ConfigError when it is neither.
IpAddress ParseIpAddress(const std::string& text);
std::string FormatIpAddress(const IpAddress& address);

/// All addresses that begin with the same bits.
struct Network {
  IpAddress address;  // may have bits set behind the prefix
  int prefix_bits = 0;

  bool Contains(const IpAddress& other) const;
};

/// "10.0.0.0/8" or "2001:db8::/32"; a lone address is a network of one. Throws ConfigError.
Network ParseNetwork(const std::string& text);
/// `address` with every bit behind the first `prefix_bits` cleared.
IpAddress MaskAddress(const IpAddress& address, int prefix_bits);

/// A set of networks, such as the home net.
class CidrSet {
 public:
  CidrSet() = default;
  /// Each as ParseNetwork takes it; throws as that.
  explicit CidrSet(const std::vector<std::string>& networks);

  bool Contains(const IpAddress& address) const;
  bool empty() const { return networks_.empty(); }

 private:
  std::vector<Network> networks_;
};

}  // namespace flowcast::base
