// Over cpp-httplib.
#include "libs/http/http_get.h"

#include <httplib.h>

#include <algorithm>

namespace flowcast::http {

Page Get(const std::string& server, const std::string& path, base::Duration timeout) {
  constexpr std::size_t kMostBodyBytes = 64 << 10;
  httplib::Client client(server);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  Page page;
  const auto result = client.Get(
      path,
      [&page](const httplib::Response& response) {
        page.status = response.status;
        return true;
      },
      [&page](const char* data, std::size_t size) {
        page.body.append(data, std::min(size, kMostBodyBytes - page.body.size()));
        return page.body.size() < kMostBodyBytes;
      });
  if (page.status == 0) page.error = httplib::to_string(result.error());
  return page;
}

}  // namespace flowcast::http
