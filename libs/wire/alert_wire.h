// Alerts as CloudEvents 1.0 in binary content mode over Kafka: attributes in ce_* headers, JSON as value.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "libs/alert/alert.h"
#include "libs/bus/bus.h"
#include "libs/wire/wire_error.h"

namespace flowcast::wire {

/// The value: one JSON object, specified in docs/formats.md and docs/schemas/alert.schema.json. Numbers are
/// finite; what is no UTF-8 is replaced.
std::string EncodeJson(const alert::Alert& alert);
/// Reads what earlier versions wrote, too; fields that they did not have stay as a new Alert has them.
tl::expected<alert::Alert, WireError> DecodeAlertJson(std::string_view text);

/// Of the last window known when the alert changed (libs/trace).
std::string TraceIdOf(const alert::Alert& alert);

/// ce_specversion, ce_id (the same for a resend; that of a silenced alert ends in "-silenced"), ce_source,
/// ce_type, ce_subject, ce_time, ce_traceparent, content-type.
std::vector<bus::Header> CloudEventHeaders(const alert::Alert& alert);

}  // namespace flowcast::wire
