// Alerts to a syslog server.
#pragma once

#include <string>

#include "libs/notify/sender.h"

namespace flowcast::notify {

/// The seam to a socket.
class Pipe {
 public:
  virtual ~Pipe() = default;
  /// Hands the bytes to the network, as one datagram where that has some; connects first if need be. Empty
  /// when it went well, otherwise why not, in a line.
  virtual std::string Write(const std::string& bytes) = 0;
};

struct SyslogOptions {
  std::string host = "-";  // HOSTNAME in the messages
  int facility = 16;       // local0
  bool count_octets = false;
};

/// Syslog acknowledges nothing: taken is what the network took.
class SyslogSender : public Sender {
 public:
  SyslogSender(Pipe& pipe, SyslogOptions options) : pipe_(pipe), options_(std::move(options)) {}
  Outcome Send(std::span<const alert::Alert> alerts) override;

 private:
  Pipe& pipe_;
  SyslogOptions options_;
};

}  // namespace flowcast::notify
