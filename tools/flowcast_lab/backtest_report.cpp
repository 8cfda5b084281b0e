// Scores as JSON and as a table.
#include "tools/flowcast_lab/backtest_report.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace flowcast::tools {
namespace {

using Json = nlohmann::ordered_json;

Json Value(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(*number) : Json(nullptr);
}

Json AlertJson(const backtest::AlertScore& score) {
  return {{"precision", Value(score.precision)},
          {"recall", Value(score.recall)},
          {"lead_s", Value(score.lead_s)},
          {"announced", score.announced},
          {"above", score.above},
          {"episodes", score.episodes},
          {"episodes_found", score.episodes_found}};
}

__attribute__((format(printf, 2, 3))) void Print(std::string& text, const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  text += line;
}

std::string Percent(const std::optional<double>& share) {
  char text[32] = "-";
  if (share) std::snprintf(text, sizeof text, "%+.2f", 100 * *share);
  return text;
}

void PrintAlerts(const char* name, const backtest::AlertScore& score, std::string& text) {
  Print(text, "  %-10s precision %s %%, recall %s %%, lead %.3g s, %zu of %zu episodes\n", name,
        Percent(score.precision).c_str(), Percent(score.recall).c_str(), score.lead_s.value_or(0),
        score.episodes_found, score.episodes);
}

Json WhatIfJson(const backtest::WhatIf& what_if, std::size_t position) {
  Json json{{"feature", what_if.change.feature},
            {"was", what_if.was},
            {"value", what_if.change.value},
            {"forecast", Json::object()}};
  for (const backtest::WhatIf::Opinion& opinion : what_if.by_horizon[position])
    json["forecast"][opinion.name] = {{"before", opinion.before}, {"after", opinion.after}};
  return json;
}

void PrintAblation(const HorizonReport& report, std::string& text) {
  Print(text, "  rise of the MAE when a feature is shuffled, in %%:\n  %-24s", "FEATURE");
  for (const auto& rise : report.insights.importances.front().by_horizon[report.position])
    Print(text, " %9s", rise.name.c_str());
  text += '\n';
  for (const backtest::Importance& importance : report.insights.importances) {
    Print(text, "  %-24.40s", importance.feature.c_str());
    for (const auto& rise : importance.by_horizon[report.position])
      Print(text, " %9s", Percent(rise.share).c_str());
    text += '\n';
  }
}

void PrintWhatIf(const backtest::WhatIf& what_if, std::size_t position, std::string& text) {
  Print(text, "  what if %.40s were %.6g instead of %.6g in the last step:\n", what_if.change.feature.c_str(),
        what_if.change.value, what_if.was);
  for (const backtest::WhatIf::Opinion& opinion : what_if.by_horizon[position]) {
    Print(text, "  %-16s %12.6g -> %.6g (%+.6g)\n", opinion.name.c_str(), opinion.before, opinion.after,
          opinion.after - opinion.before);
  }
}

}  // namespace

Json AblationJson(const HorizonReport& report) {
  Json all = Json::array();
  for (const backtest::Importance& importance : report.insights.importances) {
    Json rises = Json::object();
    for (const auto& rise : importance.by_horizon[report.position]) rises[rise.name] = Value(rise.share);
    all.push_back({{"feature", importance.feature}, {"rise", rises}});
  }
  return all;
}

Json AlertsJson(const backtest::AlertComparison& alerts) {
  return {{"threshold", alerts.threshold},
          {"probability", alerts.probability},
          {"flowcast", AlertJson(alerts.forecast)},
          {"reactive", AlertJson(alerts.reactive)}};
}

std::string ToJson(const HorizonReport& report) {
  const backtest::HorizonScore& score = report.score;
  Json json{{"series", report.run.series},
            {"horizon", score.horizon},
            {"steps", report.run.steps},
            {"scored", score.scored}};
  for (const char* name : {"mae", "rmse", "skill_mae"}) json[name] = Json::object();
  for (const backtest::ExpertScore& expert : score.experts) {
    json["mae"][expert.name] = expert.mae;
    json["rmse"][expert.name] = expert.rmse;
    json["skill_mae"][expert.name] = Value(expert.skill_mae);
  }
  json["mase"] = Value(score.mase);
  json["smape"] = Value(score.smape);
  json["r2"] = Value(score.r2);
  json["pinball"] = score.pinball;
  json["coverage_90"] = score.coverage_90;
  json["fit_seconds"] = report.run.fit_seconds;
  json["forecast_seconds"] = report.run.forecast_seconds;
  if (report.alerts) json["alerts"] = AlertsJson(*report.alerts);
  if (!report.insights.importances.empty()) json["ablation"] = AblationJson(report);
  for (const backtest::WhatIf& what_if : report.insights.what_ifs)
    json["what_if"].push_back(WhatIfJson(what_if, report.position));
  return json.dump();
}

std::string ToTable(const HorizonReport& report) {
  const backtest::HorizonScore& score = report.score;
  std::string text;
  Print(text, "%.120s, %d ahead: %zu of %zu steps scored\n", report.run.series.c_str(), score.horizon,
        score.scored, report.run.steps);
  Print(text, "  %-16s %12s %12s %9s\n", "EXPERT", "MAE", "RMSE", "SKILL %");
  for (const backtest::ExpertScore& expert : score.experts) {
    Print(text, "  %-16s %12.6g %12.6g %9s\n", expert.name.c_str(), expert.mae, expert.rmse,
          Percent(expert.skill_mae).c_str());
  }
  Print(text, "  flowcast: MASE %.3f, sMAPE %.1f %%, R2 %.3f, pinball %.4g, 90 %% interval covers %.1f %%\n",
        score.mase.value_or(0), 100 * score.smape.value_or(0), score.r2.value_or(0), score.pinball,
        100 * score.coverage_90);
  if (report.alerts) {
    Print(text, "  alerts above %.6g, more probable than %g:\n", report.alerts->threshold,
          report.alerts->probability);
    PrintAlerts("flowcast", report.alerts->forecast, text);
    PrintAlerts("reactive", report.alerts->reactive, text);
  }
  if (!report.insights.importances.empty()) PrintAblation(report, text);
  for (const backtest::WhatIf& what_if : report.insights.what_ifs)
    PrintWhatIf(what_if, report.position, text);
  return text;
}

}  // namespace flowcast::tools
