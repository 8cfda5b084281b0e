// The seam to an HTTP client.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace flowcast::notify {

struct HttpRequest {
  std::string path;
  std::string body;  // JSON
  std::vector<std::pair<std::string, std::string>> headers{};
};

struct HttpAnswer {
  int status = 0;             // 0: none came
  std::string retry_after{};  // the header of that name
  std::string error{};        // why none came, a line
};

/// Posts to one server, from one thread.
class HttpPoster {
 public:
  virtual ~HttpPoster() = default;
  virtual HttpAnswer Post(const HttpRequest& request) = 0;
  /// From any thread: a Post under way ends soon, later ones at once.
  virtual void Interrupt() {}
};

}  // namespace flowcast::notify
