// Permutation importance.
#include "libs/backtest/importance.h"

#include <cmath>
#include <numeric>

#include "libs/base/random.h"

namespace flowcast::backtest {
namespace {

/// Of the steps that the scored ones are forecast from (Fisher and Yates).
Shuffle ShuffleOf(const Backtester& backtester, std::uint64_t seed) {
  const auto furthest = static_cast<std::size_t>(backtester.options().horizons.back());
  const std::size_t cut = backtester.run().first_scored;
  Shuffle shuffle;
  shuffle.from = std::max(cut - std::min(cut, furthest), backtester.options().length - 1);
  shuffle.steps.resize(backtester.series().values.size() - shuffle.from);
  std::iota(shuffle.steps.begin(), shuffle.steps.end(), shuffle.from);
  base::Random random(seed);
  for (std::size_t i = shuffle.steps.size(); i-- > 1;)
    std::swap(shuffle.steps[i], shuffle.steps[random.Below(i + 1)]);
  return shuffle;
}

double ErrorOf(const HorizonRun& run, std::string_view name) {
  const std::vector<double>& said = run.of(name);
  double sum = 0;
  for (std::size_t i = 0; i < said.size(); ++i) sum += std::abs(said[i] - run.actual[i]);
  return sum;
}

std::vector<Importance::Rise> RisesOf(const HorizonRun& before, const HorizonRun& after,
                                      const std::vector<std::string>& names) {
  std::vector<Importance::Rise> rises;
  for (const std::string& name : names) {
    const double error = ErrorOf(before, name);
    Importance::Rise& rise = rises.emplace_back(Importance::Rise{name, std::nullopt});
    if (error > 0) rise.share = ErrorOf(after, name) / error - 1;
  }
  return rises;
}

}  // namespace

std::vector<Importance> ImportanceOf(Backtester& backtester, std::uint64_t seed) {
  std::vector<std::string> names = backtester.models();
  names.emplace_back(forecast::kMixtureName);
  std::vector<std::string> features = FeaturesOf(backtester.series());
  const std::size_t columns = features.size();
  if (backtester.options().season > 0) features.emplace_back("season");
  Shuffle shuffle = ShuffleOf(backtester, seed);
  std::vector<Importance> all;
  for (std::size_t i = 0; i < features.size(); ++i) {
    shuffle.column = i < columns ? std::optional(i) : std::nullopt;
    const std::vector<HorizonRun> after = backtester.WalkWith(shuffle);
    Importance& importance = all.emplace_back(Importance{features[i], {}});
    for (std::size_t h = 0; h < after.size(); ++h)
      importance.by_horizon.push_back(RisesOf(backtester.run().horizons[h], after[h], names));
  }
  return all;
}

}  // namespace flowcast::backtest
