// One function a check, and the words that they share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/diagnosis/diagnosis.h"

namespace flowcast::diagnosis::internal {

Finding CheckBroker(const Observation& seen);
Finding CheckTopics(const Observation& seen);
Finding CheckPackets(const Observation& seen);
Finding CheckWatermark(const Observation& seen);
Finding CheckWindows(const Observation& seen);
Finding CheckSequences(const Observation& seen);
Finding CheckModel(const Observation& seen);
Finding CheckForecasts(const Observation& seen);
Finding CheckAlerts(const Observation& seen);
/// Of a group of services: "features", "inference" or "notifier".
Finding CheckLag(const GroupSeen& group, const StreamSeen& input);
Finding CheckClock(const Observation& seen);
/// One finding a page that was reached, and one for all that were not.
std::vector<Finding> CheckServices(const Observation& seen);

Finding Ok(const std::string& check, const std::string& text);
Finding Warning(const std::string& check, const std::string& text, const std::string& remedy);
Finding Failed(const std::string& check, const std::string& text, const std::string& remedy);
Finding Unknown(const std::string& check, const std::string& text);
/// That a topic may not be read, if so.
std::optional<Finding> Refused(const std::string& check, const StreamSeen& stream);

/// "3 s", "12 min", "5 h", "9 days".
std::string Span(base::Duration duration);
/// "3 s ago".
std::string Ago(base::EventTime then, base::EventTime now);
/// "1 record", "1,234 records".
std::string Records(std::uint64_t count);
/// Event time that has been heard of: of the sources the newest watermark; nothing without one.
std::optional<base::EventTime> EventTimeOf(const Observation& seen);
/// How far a stage may trail in event time: two windows, and what slices, clocks and commits take.
base::Duration Tolerance(base::Duration window_length);

}  // namespace flowcast::diagnosis::internal
