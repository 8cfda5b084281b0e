// Brackets, host, colon, port.
#include "libs/base/host_port.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace flowcast::base {
namespace {

std::optional<int> ParsePort(std::string_view text) {
  int port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size() || port < 0 || port > 65535) {
    return std::nullopt;
  }
  return port;
}

bool IsHost(std::string_view host, bool bracketed) {
  const auto fits = [bracketed](unsigned char c) {
    return bracketed ? std::isxdigit(c) != 0 || c == ':' || c == '.'
                     : std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  };
  return !host.empty() && std::all_of(host.begin(), host.end(), fits);
}

}  // namespace

std::optional<HostAndPort> ParseHostAndPort(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const auto close = text.find(']');
  if (bracketed && close == std::string_view::npos) return std::nullopt;
  const std::size_t end = bracketed ? close + 1 : std::min(text.find(':'), text.size());
  const std::string_view host = bracketed ? text.substr(1, close - 1) : text.substr(0, end);
  if (!IsHost(host, bracketed)) return std::nullopt;
  HostAndPort parts{std::string(host), std::nullopt};
  if (end == text.size()) return parts;
  if (text[end] == ':') parts.port = ParsePort(text.substr(end + 1));
  return parts.port ? std::optional(parts) : std::nullopt;
}

}  // namespace flowcast::base
