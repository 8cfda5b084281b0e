// Parsing, formatting and prefix matching of addresses.
#include "libs/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "libs/base/error.h"

namespace flowcast::base {
namespace {

int AddressBits(const IpAddress& address) { return address.version == 4 ? 32 : 128; }

bool HasPrefix(const IpAddress& address, const IpAddress& network, int bits) {
  if (address.version != network.version) return false;
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(network.bytes.begin(), network.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin())) {
    return false;
  }
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address.bytes[whole] & mask) == (network.bytes[whole] & mask);
}

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

CidrSet::CidrSet(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
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
    networks_.push_back({address, bits});
  }
}

bool CidrSet::Contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return HasPrefix(address, network.address, network.prefix_bits);
  });
}

}  // namespace flowcast::base
