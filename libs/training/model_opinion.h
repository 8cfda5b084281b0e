// What a network's answers mean to a link's forecaster.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libs/feature/window.h"
#include "libs/forecast/forecast.h"
#include "libs/forecast/history.h"
#include "libs/training/learner.h"
#include "libs/training/sequence_view.h"

namespace flowcast::training {

/// What the network `name` of this shape says of `target`, in raw units, by position of `horizons`: nothing
/// (not a number) of those that it does not forecast. Quantiles come along when it answers at
/// forecast::kQuantileLevels. `row` is its answer to `sequence`.
forecast::ModelOpinion OpinionOf(const std::string& name, const feature::Sequence& sequence,
                                 const Target& target, const std::vector<int>& horizons, const Shape& shape,
                                 std::span<const float> row);

/// The usual load as a forecaster of these horizons is told it, raw; owns what the season points at.
class SeasonOf {
 public:
  SeasonOf(const feature::Sequence& sequence, const Target& target, const std::vector<int>& horizons);
  forecast::Season season() const { return {now_, ahead_}; }

 private:
  double now_;
  std::vector<double> ahead_;
};

}  // namespace flowcast::training
