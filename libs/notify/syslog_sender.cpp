// A message an alert.
#include "libs/notify/syslog_sender.h"

#include "libs/notify/syslog_message.h"

namespace flowcast::notify {

Outcome SyslogSender::Send(std::span<const alert::Alert> alerts) {
  for (const alert::Alert& alert : alerts) {
    const std::string message = SyslogMessage(alert, options_.host, options_.facility);
    const std::string error = pipe_.Write(options_.count_octets ? CountOctets(message) : message);
    if (!error.empty()) return {.kind = Outcome::Kind::kRetry, .reason = error};
  }
  return {};
}

}  // namespace flowcast::notify
