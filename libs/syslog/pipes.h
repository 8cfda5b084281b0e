// Datagrams and a stream to a server.
#pragma once

#include <string>

#include "libs/notify/address.h"
#include "libs/notify/syslog_sender.h"

namespace flowcast::syslog {

/// Connects at the first Write, and again after one that failed. For one thread.
class SocketPipe : public notify::Pipe {
 public:
  explicit SocketPipe(notify::SyslogAddress address) : address_(std::move(address)) {}
  ~SocketPipe() override { Close(); }
  SocketPipe(const SocketPipe&) = delete;
  SocketPipe& operator=(const SocketPipe&) = delete;

  /// Waits at most 5 s for a connection and 5 s for what is written. Over TCP a connection that the server
  /// has closed is noticed first; what was written just before it broke may be lost, since syslog
  /// acknowledges nothing.
  std::string Write(const std::string& bytes) override;

 private:
  std::string Connect();
  std::string SendAll(const std::string& bytes) const;
  bool IsClosedByServer() const;
  void Close();
  std::string Explain(const std::string& what) const;

  notify::SyslogAddress address_;
  int socket_ = -1;
};

}  // namespace flowcast::syslog
