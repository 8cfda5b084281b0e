// Answers by horizon and level.
#include "libs/training/model_opinion.h"

#include <algorithm>
#include <limits>

namespace flowcast::training {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

bool AnswersAllLevels(const Shape& shape) {
  return std::equal(shape.levels.begin(), shape.levels.end(), std::begin(forecast::kQuantileLevels),
                    std::end(forecast::kQuantileLevels));
}

}  // namespace

forecast::ModelOpinion OpinionOf(const std::string& name, const feature::Sequence& sequence,
                                 const Target& target, const std::vector<int>& horizons, const Shape& shape,
                                 std::span<const float> row) {
  forecast::ModelOpinion opinion{name, {}, {}};
  const ToRaw raw(sequence, target);
  for (const int horizon : horizons) {
    const auto at = shape.AnswerOf(target.column, horizon);
    opinion.medians.push_back(at ? raw(row[*at]).value_or(kNothing) : kNothing);
    if (!AnswersAllLevels(shape)) continue;
    std::vector<double>& quantiles = opinion.quantiles.emplace_back();
    if (!at) continue;
    const std::size_t first = *at - shape.median();
    for (std::size_t level = 0; level < shape.levels.size(); ++level)
      quantiles.push_back(level == shape.median() ? opinion.medians.back()
                                                  : raw(row[first + level]).value_or(kNothing));
  }
  return opinion;
}

SeasonOf::SeasonOf(const feature::Sequence& sequence, const Target& target, const std::vector<int>& horizons)
    : now_(UsualOf(sequence, target.column, 0).value_or(kNothing)) {
  if (sequence.usual.empty()) return;
  for (const int horizon : horizons) {
    ahead_.push_back(UsualOf(sequence, target.column, horizon).value_or(kNothing));
  }
}

}  // namespace flowcast::training
