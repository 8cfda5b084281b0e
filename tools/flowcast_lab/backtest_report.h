// What a back-test prints.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "libs/backtest/alerts.h"
#include "libs/backtest/backtest.h"
#include "libs/backtest/scores.h"

namespace flowcast::tools {

struct HorizonReport {
  const backtest::Run& run;
  backtest::HorizonScore score;
  std::optional<backtest::AlertComparison> alerts;
};

/// threshold, and of "flowcast" and the rule "reactive": precision, recall, lead_s, counts.
nlohmann::ordered_json AlertsJson(const backtest::AlertComparison& alerts);

/// One object a line; what is undefined is null.
std::string ToJson(const HorizonReport& report);
/// A table for people.
std::string ToTable(const HorizonReport& report);

}  // namespace flowcast::tools
