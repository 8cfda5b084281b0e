// Fields and lines of CSV.
#include "libs/backtest/csv.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "libs/base/error.h"

namespace flowcast::backtest {
namespace {

/// Takes the fields of one line off the front of `text`.
std::vector<std::string> TakeLine(std::string_view& text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      const bool doubled = quoted && at + 1 < text.size() && text[at + 1] == '"';
      if (doubled) fields.back().push_back(text[at++]);
      if (!doubled) quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c == '\n' && !quoted) {
      break;
    } else if (c != '\r') {
      fields.back().push_back(c);
    }
  }
  text.remove_prefix(std::min(at + 1, text.size()));
  return fields;
}

std::optional<std::size_t> ToNumber(const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

double ToValue(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '+')) text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? value : std::numeric_limits<double>::quiet_NaN();
}

std::size_t PositionOf(const std::vector<std::string>& header, const std::string& column) {
  const auto named = std::find(header.begin(), header.end(), column);
  if (named != header.end()) return static_cast<std::size_t>(named - header.begin());
  const auto number = ToNumber(column);
  if (number && *number < header.size()) return *number;
  std::string names;
  for (std::size_t i = 0; i < header.size(); ++i) {
    names += (i == 0 ? "" : ", ") + std::to_string(i) + " " + header[i].substr(0, 40);
  }
  throw base::ConfigError("there is no column '" + column + "'; there are: " + names);
}

}  // namespace

std::vector<double> ColumnOf(std::string_view text, const std::string& column) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  if (text.empty()) throw base::ConfigError("the file is empty; name one with a header and rows of numbers");
  const std::size_t position = PositionOf(TakeLine(text), column);
  std::vector<double> values;
  while (!text.empty()) {
    const auto fields = TakeLine(text);
    if (fields.size() == 1 && fields[0].empty()) continue;
    values.push_back(position < fields.size() ? ToValue(fields[position])
                                              : std::numeric_limits<double>::quiet_NaN());
  }
  if (values.empty()) throw base::ConfigError("there is no row below the header; name a file with some");
  return values;
}

}  // namespace flowcast::backtest
