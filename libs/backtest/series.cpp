// From raw values to a series.
#include "libs/backtest/series.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"
#include "libs/forecast/link_forecaster.h"

namespace flowcast::backtest {
namespace {

void CheckValue(const std::string& name, std::size_t row, double value) {
  if (value >= 0 && value <= forecast::kLargestValue) return;
  throw base::ConfigError(
      name + " has " + (value < 0 ? "a negative value" : "too large a value") + " (" + std::to_string(value) +
      ") in row " + std::to_string(row) +
      "; a load is between 0 and 1e18: correct it, or leave it empty to have it interpolated");
}

/// From the known value before `from` to the known value at `to`.
void Interpolate(std::vector<double>& values, std::size_t from, std::size_t to) {
  const double before = values[from - 1];
  const double step = (values[to] - before) / static_cast<double>(to - from + 1);
  for (std::size_t i = from; i < to; ++i) values[i] = before + step * static_cast<double>(i - from + 1);
}

std::int64_t FloorDivide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

Series MakeSeries(std::string name, std::vector<double> values, double step_s) {
  const std::size_t all = values.size();
  const auto known = [](double value) { return std::isfinite(value); };
  for (std::size_t i = 0; i < all; ++i) {
    if (known(values[i])) CheckValue(name, i + 1, values[i]);
  }
  values.erase(values.begin(), std::find_if(values.begin(), values.end(), known));
  Series series{.name = std::move(name), .values = std::move(values), .step_s = step_s};
  std::vector<double>& kept = series.values;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (known(kept[i])) continue;
    const auto next = std::find_if(kept.begin() + static_cast<std::ptrdiff_t>(i), kept.end(), known);
    const auto to = static_cast<std::size_t>(next - kept.begin());
    if (to == kept.size()) {
      std::fill(kept.begin() + static_cast<std::ptrdiff_t>(i), kept.end(), kept[i - 1]);
    } else {
      Interpolate(kept, i, to);
    }
    series.filled += to - i;
    i = to;
  }
  if (kept.empty() || 2 * (series.filled + all - kept.size()) > all) {
    throw base::ConfigError(series.name + " has " + std::to_string(kept.size() - series.filled) +
                            " numbers in " + std::to_string(all) + " rows; name another column");
  }
  return series;
}

std::vector<std::string> FeaturesOf(const Series& series) {
  if (!series.table) return {series.target};
  std::vector<std::string> names;
  for (const feature::Column& column : series.table->schema.columns()) names.push_back(column.name);
  return names;
}

void Binning::Add(std::int64_t time_ns, double amount) { amounts_.push_back({time_ns, amount}); }

std::vector<double> Binning::Values() const {
  if (amounts_.empty()) throw base::ConfigError("there is no packet in the capture; name another one");
  const auto [first, last] =
      std::minmax_element(amounts_.begin(), amounts_.end(),
                          [](const Amount& a, const Amount& b) { return a.time_ns < b.time_ns; });
  const std::int64_t origin = alignment_ == Alignment::kFirst
                                  ? first->time_ns
                                  : (FloorDivide(first->time_ns, window_ns_) + 1) * window_ns_;
  const std::int64_t whole = FloorDivide(last->time_ns - origin, window_ns_);
  if (whole < 2 || whole > kMostWindows) {
    throw base::ConfigError("the capture has " + std::to_string(std::max<std::int64_t>(whole, 0)) +
                            " whole windows; choose " + (whole < 2 ? "shorter" : "longer") +
                            " ones with --window");
  }
  std::vector<double> values(static_cast<std::size_t>(whole));
  for (const Amount& amount : amounts_) {
    const std::int64_t window = FloorDivide(amount.time_ns - origin, window_ns_);
    if (window >= 0 && window < whole) values[static_cast<std::size_t>(window)] += amount.amount;
  }
  return values;
}

}  // namespace flowcast::backtest
