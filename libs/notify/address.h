// Where receivers are, as the options name them.
#pragma once

#include <string>

namespace flowcast::notify {

struct HttpAddress {
  std::string server;  // "http://host:port", without a path: what may be logged
  std::string path;    // with the query; at least "/"
  bool operator==(const HttpAddress&) const = default;
};

struct SyslogAddress {
  bool tcp = false;
  std::string host;
  int port = 514;
  bool operator==(const SyslogAddress&) const = default;
};

/// "https://host:port/path?query". `option` is for the text of the base::ConfigError that is thrown for
/// anything else. Names and passwords in it are refused: they would stand on the command line.
HttpAddress ParseHttpAddress(const std::string& option, const std::string& text);
/// "udp://host:port" or "tcp://[::1]:port". Throws base::ConfigError.
SyslogAddress ParseSyslogAddress(const std::string& text);

}  // namespace flowcast::notify
