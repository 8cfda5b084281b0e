// From the board of links to gauges.
#include "services/inference/link_metrics.h"

namespace flowcast::services {
namespace {

using Facts = InferenceFacts;
using Table = telemetry::Table<Facts>;

/// A row for each forecast on the board.
using RowsOfForecast = void (*)(const forecast::Forecast& forecast, Table::Rows& rows);

Table::RowsOf ByLink(RowsOfForecast rows_of) {
  return [rows_of](const Facts& facts) {
    Table::Rows rows;
    for (const auto& [link, entry] : facts.task.board().links()) {
      for (const auto& [target, forecast] : entry.forecasts) rows_of(forecast, rows);
    }
    return rows;
  };
}

/// A row for each link on the board.
Table::RowsOf OfLink(double (*number)(const forecast::Forecast& forecast)) {
  return [number](const Facts& facts) {
    Table::Rows rows;
    for (const auto& [link, entry] : facts.task.board().links()) {
      rows.push_back({{link}, number(entry.forecasts.begin()->second)});
    }
    return rows;
  };
}

using HorizonNumber = std::optional<double> (*)(const forecast::HorizonForecast& horizon);

template <HorizonNumber number>
void ByHorizonOf(const forecast::Forecast& forecast, Table::Rows& rows) {
  for (const forecast::HorizonForecast& horizon : forecast.horizons) {
    if (const auto known = number(horizon))
      rows.push_back({{forecast.link, forecast.target, std::to_string(horizon.horizon_windows)}, *known});
  }
}

std::optional<double> MedianOf(const forecast::HorizonForecast& horizon) { return horizon.median(); }

std::optional<double> SkillOf(const forecast::HorizonForecast& horizon) { return horizon.record.skill(); }

std::optional<double> CoverageOf(const forecast::HorizonForecast& horizon) {
  return horizon.record.settled > 0 ? std::optional(horizon.record.coverage_90) : std::nullopt;
}

void LoadRow(const forecast::Forecast& forecast, Table::Rows& rows) {
  rows.push_back({{forecast.link, forecast.target}, forecast.last_actual});
}

void BoundRows(const forecast::Forecast& forecast, Table::Rows& rows) {
  for (const forecast::HorizonForecast& horizon : forecast.horizons) {
    const std::string windows = std::to_string(horizon.horizon_windows);
    rows.push_back({{forecast.link, forecast.target, windows, "low"}, horizon.quantiles.front()});
    rows.push_back({{forecast.link, forecast.target, windows, "high"}, horizon.quantiles.back()});
  }
}

}  // namespace

void AddLinkMetrics(telemetry::Table<InferenceFacts>& table) {
  const std::vector<std::string> by_horizon{"link", "target", "horizon"};
  table
      .Gauge("flowcast_inference_link_load",
             "What the link carried in its last window, in the target's unit a window. This and the other "
             "metrics of links are of the --link-metrics links with most load alone.",
             {"link", "target"}, ByLink(LoadRow))
      .Gauge("flowcast_inference_link_forecast",
             "Median of the link's last forecast, by horizon in windows, in the target's unit a window.",
             by_horizon, ByLink(ByHorizonOf<MedianOf>))
      .Gauge("flowcast_inference_link_forecast_bound",
             "Its quantiles 0.05 (low) and 0.95 (high): nine truths of ten should lie between.",
             {"link", "target", "horizon", "bound"}, ByLink(BoundRows))
      .Gauge("flowcast_inference_link_skill_ratio",
             "1 less the error of what was published over that of persistence, over the link's last 200 to "
             "250 settled forecasts of a horizon.",
             by_horizon, ByLink(ByHorizonOf<SkillOf>))
      .Gauge("flowcast_inference_link_coverage_ratio",
             "Share of truths between the quantiles 0.05 and 0.95, over the same forecasts; promised is 0.9.",
             by_horizon, ByLink(ByHorizonOf<CoverageOf>))
      .Gauge("flowcast_inference_link_window_end_timestamp_seconds",
             "End of the link's last window, in event time.", {"link"},
             OfLink([](const auto& forecast) { return base::ToUnixSeconds(forecast.made_at); }))
      .Gauge("flowcast_inference_link_window_length_seconds",
             "How long its windows are: what is said a window divided by this is said a second.", {"link"},
             OfLink([](const auto& forecast) {
               return std::chrono::duration<double>(forecast.window_length).count();
             }));
}

}  // namespace flowcast::services
