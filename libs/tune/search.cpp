// Rung after rung.
#include "libs/tune/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace flowcast::tune {
namespace {

/// Evaluates those on a rung; false when it was told to stop.
bool Evaluate(const std::vector<Candidate>& candidates, const std::vector<std::size_t>& chosen,
              std::size_t rung, const SearchHooks& hooks, Found& found) {
  for (const std::size_t candidate : chosen) {
    if (hooks.stop && hooks.stop()) return false;
    Trial trial{candidate, rung, hooks.evaluate(candidates[candidate], rung)};
    if (trial.loss && !std::isfinite(*trial.loss)) trial.loss.reset();
    if (hooks.listen) hooks.listen(trial);
    found.trials.push_back(trial);
  }
  return true;
}

/// Positions of the trials of a rung that have a loss, the lowest first.
std::vector<std::size_t> Ranked(const Found& found, std::size_t rung) {
  std::vector<std::size_t> ranked;
  for (std::size_t i = 0; i < found.trials.size(); ++i) {
    if (found.trials[i].rung == rung && found.trials[i].loss) ranked.push_back(i);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [&found](std::size_t one, std::size_t other) {
    return *found.trials[one].loss < *found.trials[other].loss;
  });
  return ranked;
}

}  // namespace

Found Search(const std::vector<Candidate>& candidates, const SearchOptions& options,
             const SearchHooks& hooks) {
  Found found;
  std::vector<std::size_t> chosen(candidates.size());
  std::iota(chosen.begin(), chosen.end(), 0);
  for (std::size_t rung = 0; rung < options.rungs && !chosen.empty() && !found.ended_early; ++rung) {
    found.ended_early = !Evaluate(candidates, chosen, rung, hooks, found);
    const std::vector<std::size_t> ranked = Ranked(found, rung);
    if (!ranked.empty()) found.best = ranked.front();
    const double kept = std::ceil(options.keep * static_cast<double>(chosen.size()));
    chosen.clear();
    for (std::size_t i = 0; i < ranked.size() && i < static_cast<std::size_t>(std::max(kept, 1.0)); ++i)
      chosen.push_back(found.trials[ranked[i]].candidate);
  }
  return found;
}

}  // namespace flowcast::tune
