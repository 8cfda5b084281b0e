// Folds one after the other.
#include "libs/backtest/validation.h"

#include <cmath>

namespace flowcast::backtest {
namespace {

/// Sum over the horizons of error / persistence's error in [from, until); nothing when that made none.
std::optional<double> LossOf(const Series& series, const std::vector<int>& horizons, const Answers& answers,
                             std::size_t from, std::size_t until) {
  double sum = 0;
  for (std::size_t h = 0; h < horizons.size(); ++h) {
    const auto ahead = static_cast<std::size_t>(horizons[h]);
    double error = 0;
    double naive = 0;
    for (std::size_t target = from; target < until; ++target) {
      const forecast::ModelOpinion* opinion = answers.At(target - ahead);
      const double last = series.values[target - ahead];
      const double said =
          opinion != nullptr && std::isfinite(opinion->medians[h]) ? opinion->medians[h] : last;
      error += std::abs(said - series.values[target]);
      naive += std::abs(last - series.values[target]);
    }
    if (!(naive > 0)) return std::nullopt;
    sum += error / naive;
  }
  return sum;
}

}  // namespace

std::optional<double> ValidationLoss(const Series& series, const Options& options, const Model& model,
                                     std::size_t folds, const std::function<bool()>& stop) {
  Check(series, options);
  const Sequences sequences(series, {options.length, options.season, options.scaling, options.horizons});
  const std::size_t cut = CutOf(series, options);
  const auto size = static_cast<std::size_t>(kFoldShare * static_cast<double>(cut));
  const auto furthest = static_cast<std::size_t>(options.horizons.back());
  training::TrainingHooks hooks;
  hooks.listener = [&stop](const training::EpochResult&) { return !stop(); };
  double sum = 0;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    if (stop()) return std::nullopt;
    const std::size_t until = cut - fold * size;
    const std::size_t from = until - size;
    auto fitted = FittedModel::Fit(model, sequences, from, hooks);
    if (!fitted || stop()) return std::nullopt;
    const Answers answers = fitted->Ask(sequences, from - std::min(from, furthest), until, from);
    const auto loss = LossOf(series, options.horizons, answers, from, until);
    if (!loss) return std::nullopt;
    sum += *loss;
  }
  return sum / static_cast<double>(folds * options.horizons.size());
}

}  // namespace flowcast::backtest
