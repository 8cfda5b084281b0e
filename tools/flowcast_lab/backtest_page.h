// The page of a back-test.
#pragma once

#include <string>
#include <vector>

#include "tools/flowcast_lab/backtest_report.h"

namespace flowcast::tools {

/// What the page says beside the run itself.
struct PageFacts {
  const backtest::Series& series;
  const backtest::Options& options;
  std::string target;               // what the series counts: "packets", "bytes", or a column's name
  bool timed = false;               // a step is series.step_s seconds
  std::vector<std::string> models;  // that were to be fitted
};

/// Beyond so many numbers the single experts' forecasts are left out of the page.
inline constexpr std::size_t kMostExpertValues = 4'000'000;

/// The object that report/backtest.html shows (README.md there).
nlohmann::ordered_json PageData(const PageFacts& facts, const std::vector<HorizonReport>& reports);

/// Writes the page with everything in it. Throws base::RuntimeError when the file cannot be written.
void WritePage(const std::string& path, const nlohmann::ordered_json& data);

}  // namespace flowcast::tools
