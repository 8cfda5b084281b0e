// Where a back-test's series comes from.
#pragma once

#include <string>

#include "libs/backtest/series.h"

namespace CLI {
class App;
}

namespace flowcast::tools {

struct BacktestInput {
  std::string csv;
  std::string column = "0";
  std::string pcap;
  std::string window = "5s";
  std::string target = "packets";
  std::string align = "first";
  std::string features = "target";  // what models see: the target alone, or a list for feature::Schema::Parse
};

/// Reads the series that exactly one of `csv` and `pcap` names; either may be compressed. Throws
/// base::ConfigError.
backtest::Series ReadSeries(const BacktestInput& input);

/// --column, --window, --target, --align, --features: how a file is read.
void AddSeriesOptions(CLI::App& command, BacktestInput& input);

}  // namespace flowcast::tools
