// Episodes above a threshold, and who announced them.
#include "libs/backtest/alerts.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "libs/alert/alert.h"
#include "libs/base/error.h"

namespace flowcast::backtest {
namespace {

std::optional<double> Share(std::size_t part, std::size_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

using Said = std::vector<bool>;  // of each step: that it will be above

Said ByValue(const std::vector<double>& forecast, double threshold) {
  Said said;
  for (const double value : forecast) said.push_back(value > threshold);
  return said;
}

Said ByProbability(const HorizonRun& run, double threshold, double probability) {
  Said said;
  for (const std::vector<double>& quantiles : run.quantiles) {
    said.push_back(alert::ProbabilityAbove({.quantiles = quantiles}, threshold) > probability);
  }
  return said;
}

AlertScore ScoreAlerts(const std::vector<double>& actual, const Said& said, double threshold, double lead_s) {
  AlertScore score;
  double leads = 0;
  bool in_episode = false;
  bool found = false;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const bool above = actual[i] > threshold;
    const bool announced = said[i];
    score.announced += announced ? 1 : 0;
    score.above += above ? 1 : 0;
    score.right += above && announced ? 1 : 0;
    const bool begins = above && !in_episode;
    if (begins) {
      ++score.episodes;
      found = false;
    }
    if (above && announced && !found) {
      found = true;
      ++score.episodes_found;
      leads += begins ? lead_s : 0;
    }
    in_episode = above;
  }
  score.precision = Share(score.right, score.announced);
  score.recall = Share(score.right, score.above);
  if (score.episodes_found > 0) score.lead_s = leads / static_cast<double>(score.episodes_found);
  return score;
}

}  // namespace

double ThresholdOf(const std::string& text, const Series& series, const Options& options) {
  const bool is_quantile = !text.empty() && text.front() == 'p';
  const char* begin = text.data() + (is_quantile ? 1 : 0);
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [stopped, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || stopped != end || !(value >= 0) || (is_quantile && value > 100))
    throw base::ConfigError(
        "--alert-threshold is a load like 5000, or a percentile of the training part like p95");
  if (!is_quantile) return value;
  std::vector<double> sorted(series.values.begin(),
                             series.values.begin() + static_cast<std::ptrdiff_t>(CutOf(series, options)));
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<std::size_t>(std::ceil(value / 100 * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

AlertComparison CompareAlerts(const HorizonRun& run, double threshold, double step_s, double probability) {
  const Said forecast = probability == 0.5 ? ByValue(run.of(forecast::kMixtureName), threshold)
                                           : ByProbability(run, threshold, probability);
  const Said reactive = ByValue(run.of("persistence"), threshold);
  return {threshold, probability, ScoreAlerts(run.actual, forecast, threshold, run.horizon * step_s),
          ScoreAlerts(run.actual, reactive, threshold, 0)};
}

}  // namespace flowcast::backtest
