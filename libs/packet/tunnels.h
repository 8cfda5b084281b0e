// Which tunnels are looked into.
#pragma once

#include <cstdint>
#include <string_view>

namespace flowcast::packet {

/// GRE with ERSPAN and NVGRE, VXLAN (UDP port 4789), GTP-U (UDP port 2152), IPv4 and IPv6 in either
/// of them, Geneve (UDP port 6081).
enum class Tunnel : std::uint8_t { kGre, kVxlan, kGtp, kIpip, kGeneve };

/// A set of them, as small as a byte.
class Tunnels {
 public:
  constexpr Tunnels() = default;  // none
  static constexpr Tunnels All() { return Tunnels(0x1f); }
  /// "gre,vxlan,gtp,ipip,geneve", any of them; "all"; "" and "none" for none. Throws
  /// base::ConfigError that lists the names for any other.
  static Tunnels Parse(std::string_view names);

  constexpr bool Any() const { return bits_ != 0; }
  constexpr bool Has(Tunnel tunnel) const { return (bits_ >> static_cast<unsigned>(tunnel) & 1U) != 0; }
  constexpr Tunnels With(Tunnel tunnel) const {
    return Tunnels(static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(tunnel)));
  }
  bool operator==(const Tunnels&) const = default;

 private:
  explicit constexpr Tunnels(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

}  // namespace flowcast::packet
