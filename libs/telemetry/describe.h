// Metrics in words, for the reference that is generated from the code.
#pragma once

#include <string>
#include <vector>

#include "libs/telemetry/metric.h"

namespace flowcast::telemetry {

/// A row of a Markdown table for each metric: name, kind, labels with the values they may have, help.
std::string MarkdownRows(const std::vector<Metric>& metrics);

}  // namespace flowcast::telemetry
