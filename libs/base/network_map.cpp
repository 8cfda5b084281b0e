// Named networks by prefix length.
#include "libs/base/network_map.h"

#include "libs/base/error.h"

namespace flowcast::base {

NetworkMap::NetworkMap(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) Add(text);
}

void NetworkMap::Add(const std::string& text) {
  const auto equals = text.find('=');
  const Network network = ParseNetwork(text.substr(0, equals));
  const std::string name = text.substr(equals == std::string::npos ? 0 : equals + 1);
  if (name.empty()) throw ConfigError("'" + text + "' gives its network no name; write 10.1.0.0/16=lab");
  const IpAddress masked = MaskAddress(network.address, network.prefix_bits);
  if (!names_by_length_[network.prefix_bits].emplace(masked, name).second)
    throw ConfigError("network " + text.substr(0, equals) + " is given twice; leave one out");
}

NetworkMap::Match NetworkMap::Find(const IpAddress& address) const {
  for (const auto& [bits, names] : names_by_length_) {
    const auto found = names.find(MaskAddress(address, bits));
    if (found != names.end()) return {&found->second, bits};
  }
  return {};
}

}  // namespace flowcast::base
