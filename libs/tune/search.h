// Successive halving.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "libs/tune/space.h"

namespace flowcast::tune {

struct SearchOptions {
  std::size_t rungs = 3;
  double keep = 1.0 / 3;  // of the candidates, from a rung to the next; at least one
};

/// One evaluation.
struct Trial {
  std::size_t candidate = 0;   // position among those that were given
  std::size_t rung = 0;        // from 0
  std::optional<double> loss;  // absent: could not be evaluated
};

struct Found {
  std::vector<Trial> trials;        // in the order of their evaluation
  std::optional<std::size_t> best;  // of them: the lowest loss on the highest rung that has one
  bool ended_early = false;
};

struct SearchHooks {
  /// What a candidate is worth on a rung (more effort on higher ones): lower is better. Losses are compared
  /// within a rung only. Nothing, or what is not finite: this one cannot be, or was interrupted.
  std::function<std::optional<double>(const Candidate&, std::size_t rung)> evaluate;
  std::function<bool()> stop;                // asked before every evaluation; true ends the search
  std::function<void(const Trial&)> listen;  // after every evaluation; may be empty
};

/// Every candidate on the first rung, the better ones on the next (Jamieson & Talwalkar, "Non-stochastic Best
/// Arm Identification and Hyperparameter Optimization", 2016). Equal losses: the earlier one goes first.
Found Search(const std::vector<Candidate>& candidates, const SearchOptions& options,
             const SearchHooks& hooks);

}  // namespace flowcast::tune
