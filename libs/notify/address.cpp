// URLs, as far as they are needed.
#include "libs/notify/address.h"

#include <algorithm>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/host_port.h"

namespace flowcast::notify {
namespace {

/// Of a receiver, whose port can't be "any".
std::optional<base::HostAndPort> ParseReceiver(const std::string& text) {
  auto parts = base::ParseHostAndPort(text);
  return parts && parts->port != 0 ? parts : std::nullopt;
}

/// What of a URL may be shown: its path may be a secret.
std::string Beginning(const std::string& text) {
  const auto host = text.find("://");
  const auto path = text.find_first_of("/?#@", host == std::string::npos ? 0 : host + 3);
  return path == std::string::npos ? text : text.substr(0, path) + "...";
}

}  // namespace

HttpAddress ParseHttpAddress(const std::string& option, const std::string& text) {
  const auto fail = [&](const std::string& why) {
    return base::ConfigError(option + ": " + why + "; write a URL like http://host:9093/path");
  };
  const std::string scheme = text.substr(0, text.find("://"));
  if (scheme.size() == text.size() || (scheme != "http" && scheme != "https"))
    throw fail("'" + Beginning(text) + "' begins with neither http:// nor https://");
  const std::string rest = text.substr(scheme.size() + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string authority = rest.substr(0, end);
  if (authority.find('@') != std::string::npos) {
    throw fail("a name and a password in the URL are not taken");
  }
  if (!ParseReceiver(authority)) throw fail("'" + authority + "' is no host, or no host and port");
  std::string path = rest.substr(end, rest.find('#') - end);
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  const auto is_plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(path.begin(), path.end(), is_plain))
    throw fail("its path has characters that a URL can't have (write %20 for a space)");
  return {.server = scheme + "://" + authority, .path = path};
}

SyslogAddress ParseSyslogAddress(const std::string& text) {
  const bool tcp = text.starts_with("tcp://");
  const auto parts = tcp || text.starts_with("udp://") ? ParseReceiver(text.substr(6)) : std::nullopt;
  if (!parts) {
    throw base::ConfigError("--syslog '" + text +
                            "' is no address; write udp://HOST:PORT or tcp://HOST:PORT");
  }
  return {.tcp = tcp, .host = parts->host, .port = parts->port.value_or(tcp ? 601 : 514)};
}

}  // namespace flowcast::notify
