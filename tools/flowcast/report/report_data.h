// A run's figures as JSON: summary.json, and the object that forecast.html shows (README.md here).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "libs/alert/threshold.h"
#include "tools/flowcast/report/run_reader.h"

namespace flowcast::report {

struct ReportFacts {
  std::string title;
  std::string generated_at;
  std::string target = "packets";
  double seconds = 0;  // that the run took
  alert::Threshold threshold;
  alert::Capacities capacities;
};

/// packets, windows, sequences, model_version, mae, mae_persistence, skill_percent, coverage_90,
/// scored, alerts_fired, alerts_resolved, seconds; null where unknown.
nlohmann::ordered_json Summary(const Run& run, const ReportFacts& facts);

nlohmann::ordered_json PageData(const Run& run, const ReportFacts& facts);

}  // namespace flowcast::report
