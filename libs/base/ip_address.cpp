// Parsing, formatting and prefix matching of addresses.
#include "libs/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "libs/base/error.h"

namespace flowcast::base {
namespace {

int AddressBits(const IpAddress& address) { return address.version == 4 ? 32 : 128; }

}  // namespace

IpAddress ParseIpAddress(const std::string& text) {
  IpAddress address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.version = 4;
  } else if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.version = 6;
  } else {
    throw ConfigError("'" + text + "' is no IP address; write one like 192.0.2.1 or 2001:db8::1");
  }
  return address;
}

std::string FormatIpAddress(const IpAddress& address) {
  if (address.version == 0) return "-";
  char text[INET6_ADDRSTRLEN];
  inet_ntop(address.version == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

bool Network::Contains(const IpAddress& other) const {
  if (other.version != address.version) return false;
  const auto whole = static_cast<std::ptrdiff_t>(prefix_bits / 8);
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) return false;
  const int rest = prefix_bits % 8;
  if (rest == 0) return true;
  const auto at = static_cast<std::size_t>(whole);
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (other.bytes[at] & mask) == (address.bytes[at] & mask);
}

Network ParseNetwork(const std::string& text) {
  const auto slash = text.find('/');
  const IpAddress address = ParseIpAddress(text.substr(0, slash));
  int bits = AddressBits(address);
  if (slash != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc() || stop != end || bits < 0 || bits > AddressBits(address)) {
      throw ConfigError("'" + text + "' is no network; write one like 10.0.0.0/8 or 2001:db8::/32");
    }
  }
  return {address, bits};
}

IpAddress MaskAddress(const IpAddress& address, int prefix_bits) {
  IpAddress masked = address;
  for (std::size_t at = 0; at < masked.bytes.size(); ++at) {
    const int left = std::clamp(prefix_bits - static_cast<int>(at) * 8, 0, 8);
    masked.bytes[at] &= static_cast<std::uint8_t>(0xff00 >> left);
  }
  return masked;
}

CidrSet::CidrSet(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) networks_.push_back(ParseNetwork(text));
}

bool CidrSet::Contains(const IpAddress& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) { return network.Contains(address); });
}

}  // namespace flowcast::base
