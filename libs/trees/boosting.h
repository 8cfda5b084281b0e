// Fits trees by XGBoost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libs/trees/forest.h"

namespace flowcast::trees {

struct BoostingOptions {
  int rounds = 300;  // trees, at most
  int depth = 4;
  double learning_rate = 0.05;
  double subsample = 0.8;  // of the rows, for each tree
  int patience = 30;       // rounds without a better validation after which to end; the best is kept
  std::uint32_t seed = 0;
};

/// Rows of equal width, their targets and weights (empty: all alike). Views.
struct Sample {
  std::size_t columns = 0;
  std::span<const float> rows;
  std::span<const float> targets;
  std::span<const float> weights;
};

struct Boosted {
  Forest forest;
  std::vector<double> training_loss;    // weighted mean absolute error, by round
  std::vector<double> validation_loss;  // of the validation sample; empty without one
};

/// For the weighted mean absolute error, starting from 0: XGBoost grows each tree by its gradients, and each
/// leaf is the median of what is left there times the learning rate (Friedman 2001, "LAD TreeBoost").
/// XGBoost 1.7 has that objective, too, but forgets the learning rate in its leaves with the fast tree
/// method. Without validation rows all rounds are kept. One thread (XGBoost's own wait for each other more
/// than they work on samples of this size); the same seed gives the same trees. Safe to run several at once.
/// Throws base::RuntimeError with XGBoost's own words when that refuses.
Boosted Boost(const Sample& sample, const Sample& validation, const BoostingOptions& options);

}  // namespace flowcast::trees
