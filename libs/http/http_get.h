// Asks a status page.
#pragma once

#include <string>

#include "libs/base/time.h"

namespace flowcast::http {

struct Page {
  int status = 0;     // 0: nobody answered
  std::string body;   // its first 64 KiB
  std::string error;  // why nobody answered
};

/// `server` is "http://host:port", `path` begins with a slash. Waits for `timeout` at most to connect, and as
/// long for the answer. Redirects are not followed.
Page Get(const std::string& server, const std::string& path, base::Duration timeout);

}  // namespace flowcast::http
