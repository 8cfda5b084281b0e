// httplib's server with an end to every connection.
#pragma once

#include <httplib.h>

#include "libs/base/time.h"

namespace flowcast::http::internal {

/// One request a connection, which has `limit` altogether: httplib's own time-outs are for each byte, so that
/// who sends one now and then holds a thread for ever, and the end of the program up. A stop ends what waits
/// for the other side within a tenth of a second.
class BoundedServer : public httplib::Server {
 public:
  explicit BoundedServer(base::Duration limit) : limit_(limit) {}

 private:
  bool process_and_close_socket(socket_t socket) override;

  base::Duration limit_;
};

}  // namespace flowcast::http::internal
