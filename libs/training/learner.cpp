// Checks of a shape.
#include "libs/training/learner.h"

#include <algorithm>
#include <cmath>

#include "libs/base/error.h"

namespace flowcast::training {
namespace {

void Require(bool condition, const char* text) {
  if (!condition) throw base::ConfigError(text);
}

template <typename T>
bool Ascends(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(), [](T a, T b) { return !(a < b); }) == values.end();
}

}  // namespace

std::size_t Shape::median() const {
  return static_cast<std::size_t>(std::find(levels.begin(), levels.end(), 0.5) - levels.begin());
}

bool Shape::Answers(std::size_t column) const {
  return std::find(targets.begin(), targets.end(), static_cast<std::int64_t>(column)) != targets.end();
}

std::optional<std::size_t> Shape::AnswerOf(std::size_t column, int horizon) const {
  const auto target = std::find(targets.begin(), targets.end(), static_cast<std::int64_t>(column));
  const auto ahead = std::find(horizons.begin(), horizons.end(), horizon);
  if (target == targets.end() || ahead == horizons.end()) return std::nullopt;
  return AnswerAt(static_cast<std::size_t>(target - targets.begin()),
                  static_cast<std::size_t>(ahead - horizons.begin()), median());
}

void CheckShape(const Shape& shape) {
  Require(shape.length >= 1 && shape.features >= 1, "a sequence needs at least one step of one feature");
  Require(shape.context >= 0, "the number of context columns must not be negative");
  Require(!shape.targets.empty(), "at least one target is needed");
  for (const std::int64_t target : shape.targets) {
    Require(target >= 0 && target < shape.features, "every target must be one of the features");
  }
  Require(!shape.horizons.empty() && shape.horizons.front() >= 1 && Ascends(shape.horizons),
          "the horizons must be at least one window and ascending, like 1,2,3,6,12");
  Require(shape.median() < shape.levels.size() && shape.levels.front() > 0 && shape.levels.back() < 1 &&
              Ascends(shape.levels),
          "the quantiles' levels must lie between 0 and 1, ascending, with 0.5 among them");
}

}  // namespace flowcast::training
