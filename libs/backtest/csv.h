// A column of a CSV text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flowcast::backtest {

/// The values below the header (the first line, always) of the column with this name or, counted from 0, number.
/// What is no number is not-a-number. Quotes may surround a field, with commas and line ends in it; separators
/// are commas. Throws base::ConfigError that lists the columns there are, or says that the text has no lines.
std::vector<double> ColumnOf(std::string_view text, const std::string& column);

}  // namespace flowcast::backtest
