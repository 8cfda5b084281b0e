// Posts to an HTTP or HTTPS server.
#pragma once

#include <memory>
#include <string>

#include "libs/base/time.h"
#include "libs/notify/http_poster.h"

namespace flowcast::http {

struct ClientOptions {
  base::Duration timeout = std::chrono::seconds(10);  // of connecting, and of each wait for the other side
  std::string ca_file{};  // PEM with the authorities that an HTTPS server is trusted by; empty: the system's
};

/// A connection a request; redirects are not followed, of an answer's body little is read. Post is for one
/// thread.
class HttpClient : public notify::HttpPoster {
 public:
  /// `server` is "https://host:port". Connects to nobody yet. Throws base::ConfigError when the CA file
  /// cannot be read.
  HttpClient(const std::string& server, const ClientOptions& options);
  ~HttpClient() override;

  notify::HttpAnswer Post(const notify::HttpRequest& request) override;
  void Interrupt() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowcast::http
