// URLs, as far as they are needed.
#include "libs/notify/address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "libs/base/error.h"

namespace flowcast::notify {
namespace {

struct HostAndPort {
  std::string host;
  std::optional<int> port;
};

std::optional<int> ParsePort(const std::string& text) {
  int port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size() || port < 1 || port > 65535) {
    return std::nullopt;
  }
  return port;
}

bool IsHost(const std::string& host, bool bracketed) {
  const auto fits = [bracketed](unsigned char c) {
    return bracketed ? std::isxdigit(c) != 0 || c == ':' || c == '.'
                     : std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), fits);
}

/// "host", "host:port", "[v6]:port"; none for anything else.
std::optional<HostAndPort> ParseHostAndPort(const std::string& text) {
  const bool bracketed = text.starts_with('[');
  const auto close = text.find(']');
  if (bracketed && close == std::string::npos) return std::nullopt;
  const std::size_t end = bracketed ? close + 1 : std::min(text.find(':'), text.size());
  HostAndPort parts{.host = bracketed ? text.substr(1, close - 1) : text.substr(0, end)};
  if (!IsHost(parts.host, bracketed)) return std::nullopt;
  if (end == text.size()) return parts;
  if (text[end] == ':') parts.port = ParsePort(text.substr(end + 1));
  return parts.port ? std::optional(parts) : std::nullopt;
}

}  // namespace

HttpAddress ParseHttpAddress(const std::string& option, const std::string& text) {
  const auto fail = [&](const std::string& why) {
    return base::ConfigError(option + ": " + why + "; write a URL like http://host:9093/path");
  };
  const std::string scheme = text.substr(0, text.find("://"));
  if (scheme.size() == text.size() || (scheme != "http" && scheme != "https"))
    throw fail("'" + text + "' begins with neither http:// nor https://");
  const std::string rest = text.substr(scheme.size() + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string authority = rest.substr(0, end);
  if (authority.find('@') != std::string::npos) {
    throw fail("a name and a password in the URL are not taken");
  }
  if (!ParseHostAndPort(authority)) throw fail("'" + authority + "' is no host, or no host and port");
  std::string path = rest.substr(end, rest.find('#') - end);
  if (!path.starts_with('/')) path.insert(path.begin(), '/');
  const auto is_plain = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(path.begin(), path.end(), is_plain))
    throw fail("its path has characters that a URL can't have (write %20 for a space)");
  return {.server = scheme + "://" + authority, .path = path};
}

SyslogAddress ParseSyslogAddress(const std::string& text) {
  const bool tcp = text.starts_with("tcp://");
  const auto parts = tcp || text.starts_with("udp://") ? ParseHostAndPort(text.substr(6)) : std::nullopt;
  if (!parts) {
    throw base::ConfigError("--syslog '" + text +
                            "' is no address; write udp://HOST:PORT or tcp://HOST:PORT");
  }
  return {.tcp = tcp, .host = parts->host, .port = parts->port.value_or(tcp ? 601 : 514)};
}

}  // namespace flowcast::notify
