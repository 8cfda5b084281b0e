// The names of tunnels.
#include "libs/packet/tunnels.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "libs/base/error.h"

namespace flowcast::packet {
namespace {

constexpr std::array<std::pair<std::string_view, Tunnel>, 5> kNames = {{{"gre", Tunnel::kGre},
                                                                        {"vxlan", Tunnel::kVxlan},
                                                                        {"gtp", Tunnel::kGtp},
                                                                        {"ipip", Tunnel::kIpip},
                                                                        {"geneve", Tunnel::kGeneve}}};

Tunnel TunnelOf(std::string_view name) {
  const auto* const named =
      std::find_if(kNames.begin(), kNames.end(), [name](const auto& known) { return known.first == name; });
  if (named != kNames.end()) return named->second;
  throw base::ConfigError("'" + std::string(name) +
                          "' is no tunnel; write all, none, or some of gre,vxlan,gtp,ipip,geneve");
}

}  // namespace

Tunnels Tunnels::Parse(std::string_view names) {
  if (names == "all") return All();
  if (names.empty() || names == "none") return {};
  Tunnels tunnels;
  while (true) {
    const std::size_t comma = names.find(',');
    tunnels = tunnels.With(TunnelOf(names.substr(0, comma)));
    if (comma == std::string_view::npos) return tunnels;
    names.remove_prefix(comma + 1);
  }
}

}  // namespace flowcast::packet
