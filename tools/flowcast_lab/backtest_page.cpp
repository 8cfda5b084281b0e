// Runs and scores as the object that the page shows.
#include "tools/flowcast_lab/backtest_page.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "libs/base/error.h"
#include "libs/feature/normalization.h"
#include "tools/page/fill_page.h"

extern const char* const kBacktestPage[];  // generated from report/backtest.html

namespace flowcast::tools {
namespace {

using Json = nlohmann::ordered_json;

/// Six digits: more are not seen, and the file would be twice as long.
double Rounded(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

Json Value(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(Rounded(*number)) : Json(nullptr);
}

Json Values(const std::vector<double>& numbers) {
  Json json = Json::array();
  for (const double number : numbers) json.push_back(Value(number));
  return json;
}

Json Quantile(const backtest::HorizonRun& run, std::size_t level) {
  Json json = Json::array();
  for (const std::vector<double>& quantiles : run.quantiles) json.push_back(Value(quantiles[level]));
  return json;
}

Json ExpertsJson(const backtest::HorizonScore& score) {
  Json experts = Json::array();
  for (const backtest::ExpertScore& expert : score.experts) {
    experts.push_back({{"name", expert.name},
                       {"mae", Value(expert.mae)},
                       {"rmse", Value(expert.rmse)},
                       {"skill", Value(expert.skill_mae)}});
  }
  return experts;
}

Json HorizonJson(const HorizonReport& report, const backtest::HorizonRun& run, bool with_experts) {
  const backtest::HorizonScore& score = report.score;
  Json json{{"horizon", score.horizon},
            {"scored", score.scored},
            {"experts", ExpertsJson(score)},
            {"mase", Value(score.mase)},
            {"smape", Value(score.smape)},
            {"r2", Value(score.r2)},
            {"pinball", Value(score.pinball)},
            {"coverage_90", Value(score.coverage_90)},
            {"median", Values(run.of(forecast::kMixtureName))},
            {"low", Quantile(run, 0)},
            {"high", Quantile(run, forecast::kQuantileCount - 1)}};
  if (report.alerts) json["alerts"] = AlertsJson(*report.alerts);
  if (!report.insights.importances.empty()) json["ablation"] = AblationJson(report);
  if (!with_experts) return json;
  json["said"] = Json::object();
  for (const auto& [name, values] : run.forecasts) {
    if (name != forecast::kMixtureName) json["said"][name] = Values(values);
  }
  return json;
}

}  // namespace

Json PageData(const PageFacts& facts, const std::vector<HorizonReport>& reports) {
  const backtest::Run& run = reports.front().run;
  Json json{{"series", run.series},
            {"flowcast_version", FLOWCAST_VERSION},
            {"target", facts.target},
            {"window_seconds", facts.timed ? Json(facts.series.step_s) : Json(nullptr)},
            {"steps", run.steps},
            {"first_scored", run.first_scored},
            {"season", facts.options.season},
            {"length", facts.options.length},
            {"normalization", feature::Name(facts.options.scaling)},
            {"models", facts.models},
            {"notes", run.notes},
            {"interval",
             {{"low", forecast::kQuantileLevels[0]},
              {"high", forecast::kQuantileLevels[forecast::kQuantileCount - 1]}}},
            {"fit_seconds", Value(run.fit_seconds)},
            {"forecast_seconds", Value(run.forecast_seconds)},
            {"actual", Values(facts.series.values)},
            {"horizons", Json::array()}};
  const std::size_t values = (run.steps - run.first_scored) * reports.size() * forecast::kExpertNames.size();
  for (std::size_t h = 0; h < reports.size(); ++h) {
    json["horizons"].push_back(HorizonJson(reports[h], run.horizons[h], values <= kMostExpertValues));
  }
  return json;
}

void WritePage(const std::string& path, const Json& data) {
  std::ofstream file(path, std::ios::binary);
  file << page::Fill(page::Join(kBacktestPage), data);
  file.close();
  if (!file)
    throw base::RuntimeError("cannot write " + path + "; name a file that can be written with --html");
}

}  // namespace flowcast::tools
