// Alerts in the words of Prometheus' Alertmanager.
#pragma once

#include <span>
#include <string>

#include "libs/alert/alert.h"

namespace flowcast::notify {

/// The JSON that Alertmanager posts to a web-hook (version "4"), with one alert in it. The labels alertname,
/// link and target are the group. Specified in docs/notify.md.
std::string WebhookBody(const alert::Alert& alert);

/// What POST /api/v2/alerts takes. A firing alert has no endsAt: Alertmanager lets it end by itself unless it
/// is sent again. A resolved one has; `now`, the wall clock, bounds it, because a time to come would mean
/// that it is firing until then.
std::string AlertmanagerBody(std::span<const alert::Alert> alerts, base::EventTime now);

/// What a signature is made of: the time stamp and the body, with a dot between.
std::string SignedText(const std::string& timestamp, const std::string& body);

}  // namespace flowcast::notify
