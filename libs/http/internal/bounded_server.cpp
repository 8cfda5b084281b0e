// A stream that looks at the clock.
#include "libs/http/internal/bounded_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "libs/base/clock.h"

namespace flowcast::http::internal {
namespace {

using namespace std::chrono_literals;

class Connection : public httplib::Stream {
 public:
  Connection(socket_t socket, base::Duration limit, std::function<bool()> stopping)
      : socket_(socket), until_(clock_.Steady() + limit), stopping_(std::move(stopping)) {}

  bool is_readable() const override { return at_ < size_ || Wait(POLLIN); }
  bool is_writable() const override { return Wait(POLLOUT); }

  ssize_t read(char* to, std::size_t most) override {
    if (at_ == size_ && !Refill()) return -1;
    const std::size_t count = std::min(most, size_ - at_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), count, to);
    at_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t count) override {
    return Wait(POLLOUT) ? send(socket_, from, count, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  /// True once the socket is ready; false when the time is over, or a stop was asked for.
  bool Wait(short events) const {
    constexpr int kStepMs = 100;
    while (clock_.Steady() < until_ && !stopping_()) {
      pollfd one{.fd = socket_, .events = events, .revents = 0};
      if (poll(&one, 1, kStepMs) > 0) return true;
    }
    return false;
  }

  bool Refill() {
    const ssize_t got = Wait(POLLIN) ? recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT) : 0;
    at_ = 0;
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    return size_ > 0;
  }

  socket_t socket_;
  base::SystemClock clock_;
  base::Duration until_;
  std::function<bool()> stopping_;
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

}  // namespace

bool BoundedServer::process_and_close_socket(socket_t socket) {
  Connection connection(socket, limit_, [this] { return svr_sock_ == INVALID_SOCKET; });
  bool closed = false;
  const bool went_well = process_request(connection, true, closed, nullptr);
  shutdown(socket, SHUT_RDWR);
  close(socket);
  return went_well;
}

}  // namespace flowcast::http::internal
