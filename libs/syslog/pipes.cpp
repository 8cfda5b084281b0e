// Over POSIX sockets.
#include "libs/syslog/pipes.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace flowcast::syslog {
namespace {

constexpr int kTimeoutMs = 5'000;

/// A socket that is connected within the time-out, or -1 and errno.
int ConnectTo(const addrinfo& to) {
  const int socket = ::socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to.ai_protocol);
  if (socket < 0) return -1;
  int error = connect(socket, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd waiting{.fd = socket, .events = POLLOUT, .revents = 0};
    socklen_t size = sizeof error;
    if (poll(&waiting, 1, kTimeoutMs) != 1) {
      error = ETIMEDOUT;
    } else if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  if (error == 0) return socket;
  close(socket);
  errno = error;
  return -1;
}

/// From here on writing waits, within the time-out.
void SetBlocking(int socket) {
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  const timeval limit{.tv_sec = kTimeoutMs / 1000, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

std::string SocketPipe::Write(const std::string& bytes) {
  if (socket_ >= 0 && IsClosedByServer()) Close();
  if (socket_ < 0) {
    if (auto error = Connect(); !error.empty()) return error;
  }
  std::string error = SendAll(bytes);
  if (!error.empty()) Close();
  return error;
}

std::string SocketPipe::Connect() {
  addrinfo hints{};
  hints.ai_socktype = address_.tcp ? SOCK_STREAM : SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int status =
      getaddrinfo(address_.host.c_str(), std::to_string(address_.port).c_str(), &hints, &found);
  if (status != 0) return Explain(gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  for (const addrinfo* to = found; to != nullptr && socket_ < 0; to = to->ai_next) socket_ = ConnectTo(*to);
  if (socket_ < 0) return Explain(std::strerror(errno));
  SetBlocking(socket_);
  return "";
}

std::string SocketPipe::SendAll(const std::string& bytes) const {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Explain(errno == EAGAIN ? "takes nothing" : std::strerror(errno));
    sent += static_cast<std::size_t>(count);
  }
  return "";
}

/// A syslog server has nothing to say; what it says all the same is thrown away.
bool SocketPipe::IsClosedByServer() const {
  if (!address_.tcp) return false;
  char bytes[256];
  ssize_t count = 0;
  do {
    count = recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  } while (count > 0 || (count < 0 && errno == EINTR));
  return count == 0 || errno != EAGAIN;
}

void SocketPipe::Close() {
  const int socket = std::exchange(socket_, -1);
  if (socket >= 0) close(socket);
}

std::string SocketPipe::Explain(const std::string& what) const {
  return "syslog server " + address_.host + " port " + std::to_string(address_.port) + ": " + what;
}

}  // namespace flowcast::syslog
