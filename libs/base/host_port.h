// "host:port", as options write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flowcast::base {

struct HostAndPort {
  std::string host;         // without brackets
  std::optional<int> port;  // 0 to 65535
  bool operator==(const HostAndPort&) const = default;
};

/// "host", "host:port", "[v6]", "[v6]:port"; nothing for anything else, and for a host with characters that
/// neither names nor addresses have.
std::optional<HostAndPort> ParseHostAndPort(std::string_view text);

}  // namespace flowcast::base
