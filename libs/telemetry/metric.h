// Metrics as values, the way Prometheus sees them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/telemetry/distribution.h"

namespace flowcast::telemetry {

enum class Kind {
  kCounter,  // only grows, from 0 at the program's start; its name ends in _total
  kGauge,
  kHistogram,  // its samples have a distribution
};

using Labels = std::vector<std::pair<std::string, std::string>>;  // name and value

struct Sample {
  Labels labels;
  double value = 0;
  Distribution distribution{};  // in place of the value, of histograms
  bool operator==(const Sample&) const = default;
};

/// One name with all that is measured under it. No sample: not known now.
struct Metric {
  std::string name;  // with its unit in the plural: flowcast_capture_batch_bytes_total
  std::string help;  // a sentence
  Kind kind = Kind::kGauge;
  std::vector<Sample> samples;
  bool operator==(const Metric&) const = default;
};

}  // namespace flowcast::telemetry
