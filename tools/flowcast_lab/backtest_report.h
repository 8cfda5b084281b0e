// What a back-test prints.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "libs/backtest/alerts.h"
#include "libs/backtest/backtest.h"
#include "libs/backtest/importance.h"
#include "libs/backtest/scores.h"
#include "libs/backtest/what_if.h"

namespace flowcast::tools {

/// What was asked beside the scores; empty: was not.
struct Insights {
  std::vector<backtest::Importance> importances;
  std::vector<backtest::WhatIf> what_ifs;
};

struct HorizonReport {
  const backtest::Run& run;
  const Insights& insights;
  std::size_t position = 0;  // of the horizon
  backtest::HorizonScore score;
  std::optional<backtest::AlertComparison> alerts;
};

/// threshold, and of "flowcast" and the rule "reactive": precision, recall, lead_s, counts.
nlohmann::ordered_json AlertsJson(const backtest::AlertComparison& alerts);

/// [{"feature", "rise": {name: share}}]
nlohmann::ordered_json AblationJson(const HorizonReport& report);

/// One object a line; what is undefined is null.
std::string ToJson(const HorizonReport& report);
/// A table for people.
std::string ToTable(const HorizonReport& report);

}  // namespace flowcast::tools
