// Sums over the scored steps.
#include "libs/backtest/scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::backtest {
namespace {

using Values = std::vector<double>;

ExpertScore ErrorsOf(const std::string& name, const Values& actual, const Values& forecast) {
  ExpertScore score{.name = name};
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = forecast[i] - actual[i];
    score.mae += std::abs(error);
    score.rmse += error * error;
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, actual.size()));
  score.mae /= count;
  score.rmse = std::sqrt(score.rmse / count);
  return score;
}

std::optional<double> Ratio(double part, double whole) {
  if (!(whole > 0) || !std::isfinite(part / whole)) return std::nullopt;
  return part / whole;
}

/// Mean absolute step of the training part, over a season where there is one.
double NaiveError(const Series& series, const Options& options) {
  const std::size_t lag = std::max<std::size_t>(1, options.season);
  const std::size_t cut = CutOf(series, options);
  double sum = 0;
  for (std::size_t i = lag; i < cut; ++i) sum += std::abs(series.values[i] - series.values[i - lag]);
  return cut > lag ? sum / static_cast<double>(cut - lag) : 0;
}

std::optional<double> Smape(const Values& actual, const Values& forecast) {
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto part = Ratio(2 * std::abs(forecast[i] - actual[i]), std::abs(actual[i]) + std::abs(forecast[i]));
    sum += part.value_or(0);
    count += part ? 1 : 0;
  }
  return Ratio(sum, count);
}

std::optional<double> R2(const Values& actual, double rmse) {
  const auto count = static_cast<double>(actual.size());
  const double mean = std::accumulate(actual.begin(), actual.end(), 0.0) / count;
  double spread = 0;
  for (const double value : actual) spread += (value - mean) * (value - mean);
  const auto part = Ratio(rmse * rmse * count, spread);
  return part ? std::optional(1 - *part) : std::nullopt;
}

void ScoreQuantiles(const HorizonRun& run, HorizonScore& score) {
  std::size_t covered = 0;
  for (std::size_t i = 0; i < run.actual.size(); ++i) {
    const Values& quantiles = run.quantiles[i];
    covered += run.actual[i] >= quantiles.front() && run.actual[i] <= quantiles.back() ? 1 : 0;
    for (std::size_t q = 0; q < quantiles.size(); ++q) {
      const double above = run.actual[i] - quantiles[q];
      score.pinball += above > 0 ? forecast::kQuantileLevels[q] * above : (forecast::kQuantileLevels[q] - 1) * above;
    }
  }
  const auto count = static_cast<double>(std::max<std::size_t>(1, run.actual.size()));
  score.pinball /= count * static_cast<double>(forecast::kQuantileCount);
  score.coverage_90 = static_cast<double>(covered) / count;
}

}  // namespace

const ExpertScore& HorizonScore::of(std::string_view name) const {
  return *std::find_if(experts.begin(), experts.end(),
                       [name](const ExpertScore& expert) { return expert.name == name; });
}

HorizonScore ScoreOf(const Series& series, const Options& options, const HorizonRun& run) {
  HorizonScore score{.horizon = run.horizon, .scored = run.actual.size()};
  for (const auto& [name, forecast] : run.forecasts) score.experts.push_back(ErrorsOf(name, run.actual, forecast));
  for (ExpertScore& expert : score.experts) {
    if (const auto part = Ratio(expert.mae, score.experts.front().mae)) expert.skill_mae = 1 - *part;
  }
  const ExpertScore& mixture = score.experts.back();
  score.mase = Ratio(mixture.mae, NaiveError(series, options));
  score.smape = Smape(run.actual, run.forecasts.back().second);
  score.r2 = R2(run.actual, mixture.rmse);
  ScoreQuantiles(run, score);
  return score;
}

}  // namespace flowcast::backtest
