// Alerts as syslog has them: RFC 5424, and the framing of RFC 6587.
#pragma once

#include <optional>
#include <string>

#include "libs/alert/alert.h"

namespace flowcast::notify {

/// The number of "daemon", "local0", ...; none for another word.
std::optional<int> FacilityOf(const std::string& name);

/// What every receiver of syslog should take whole (RFC 5424, 6.1); longer messages lose their end.
inline constexpr std::size_t kMostSyslogBytes = 2048;

/// One message: HOSTNAME is `host`, APP-NAME flowcast, MSGID the alert's state, the time that of the last
/// window known; structured data [flowcast@32473 ...]; the summary. Control characters become spaces.
std::string SyslogMessage(const alert::Alert& alert, const std::string& host, int facility);

/// With its length before it, for streams (RFC 6587, octet counting).
std::string CountOctets(const std::string& message);

}  // namespace flowcast::notify
