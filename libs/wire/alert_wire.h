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

/// The value: one JSON object, specified in docs/formats.md.
std::string EncodeJson(const alert::Alert& alert);
tl::expected<alert::Alert, WireError> DecodeAlertJson(std::string_view text);

/// ce_specversion, ce_id (the same for a resend), ce_source, ce_type, ce_subject, ce_time, content-type.
std::vector<bus::Header> CloudEventHeaders(const alert::Alert& alert);

}  // namespace flowcast::wire
