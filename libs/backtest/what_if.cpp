// Changes the newest step of a series, and asks again.
#include "libs/backtest/what_if.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::backtest {
namespace {

std::size_t ColumnOf(const Series& series, const std::string& feature) {
  const std::vector<std::string> names = FeaturesOf(series);
  const auto found = std::find(names.begin(), names.end(), feature);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw base::ConfigError("--what-if: there is no feature '" + feature + "'; there are: " + all +
                          (series.table ? "" : " (a capture has others with --features default)"));
}

std::size_t TargetOf(const Series& series) { return series.table ? std::size_t{series.table->target} : 0; }

/// The series with another newest value.
Series Changed(const Series& series, std::size_t column, double value) {
  Series changed = series;
  if (column == TargetOf(series)) changed.values.back() = value;
  if (series.table) {
    auto table = std::make_shared<FeatureTable>(*series.table);
    table->rows[table->rows.size() - table->schema.size() + column] = value;
    changed.table = std::move(table);
  }
  return changed;
}

}  // namespace

Change ParseChange(const std::string& text, const Series& series) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    throw base::ConfigError("--what-if " + text + " is not feature=value, like packets=500");
  Change change{text.substr(0, equals), 0};
  const std::size_t column = ColumnOf(series, change.feature);
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + equals + 1, end, change.value);
  const bool number =
      error == std::errc() && stopped == end && std::abs(change.value) <= forecast::kLargestValue;
  if (!number || (column == TargetOf(series) && change.value < 0)) {
    throw base::ConfigError("--what-if " + text + ": '" + text.substr(equals + 1) + "' is no value of " +
                            change.feature + "; give a number" +
                            (column == TargetOf(series) ? " from 0 to 1e18" : ""));
  }
  return change;
}

WhatIf WhatIfOf(Backtester& backtester, const Change& change) {
  const Series& series = backtester.series();
  const std::size_t column = ColumnOf(series, change.feature);
  WhatIf what_if{.change = change, .was = series.values.back(), .by_horizon = {}};
  if (series.table)
    what_if.was = series.table->rows[series.table->rows.size() - series.table->schema.size() + column];
  const forecast::Forecast after = backtester.LastOf(Changed(series, column, change.value));
  for (std::size_t h = 0; h < after.horizons.size(); ++h) {
    const forecast::HorizonForecast& before = backtester.last().horizons[h];
    std::vector<WhatIf::Opinion>& opinions = what_if.by_horizon.emplace_back();
    for (const forecast::ExpertOpinion& expert : before.experts) {
      const auto& others = after.horizons[h].experts;
      const auto same = std::find_if(others.begin(), others.end(),
                                     [&](const auto& other) { return other.name == expert.name; });
      if (same != others.end()) opinions.push_back({expert.name, expert.value, same->value});
    }
    opinions.push_back({std::string(forecast::kMixtureName), before.median(), after.horizons[h].median()});
  }
  return what_if;
}

}  // namespace flowcast::backtest
