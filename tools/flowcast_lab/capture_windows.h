// A capture's windows with all their features, as a series.
#pragma once

#include "libs/backtest/series.h"
#include "tools/flowcast_lab/backtest_input.h"

namespace flowcast::tools {

/// The windows that flowcast-features would publish of a link with all packets of the capture, but for where
/// they begin: see BacktestInput::align. Windows that are not whole are left out. Throws base::ConfigError
/// for a capture of too few or too many windows, and features that there are not.
backtest::Series ReadWindows(const BacktestInput& input);

}  // namespace flowcast::tools
