// A shape beside its manifest.
#include "libs/training/objection.h"

#include <algorithm>

namespace flowcast::training {
namespace {

bool Answers(const Shape& shape, const std::string& target, const std::vector<int>& horizons,
             const feature::Schema& schema) {
  const auto& columns = schema.columns();
  const auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const feature::Column& one) { return one.name == target; });
  if (column == columns.end()) return false;
  return std::all_of(horizons.begin(), horizons.end(), [&](int horizon) {
    return shape.AnswerOf(static_cast<std::size_t>(column - columns.begin()), horizon).has_value();
  });
}

}  // namespace

std::optional<std::string> ObjectionTo(const Shape& shape, const model_store::Manifest& manifest,
                                       const feature::Schema& schema) {
  if (shape.features != static_cast<std::int64_t>(schema.size()) || shape.length != manifest.sequence_length)
    return "its network has another shape than its manifest says";
  const std::size_t context = 2 * shape.target_size();
  if (shape.context_size() != 0 && shape.context_size() != context) {
    return "its network wants " + std::to_string(shape.context) +
           " columns of what is known of the windows to come; there are none, or " + std::to_string(context) +
           " for its targets and horizons";
  }
  const auto targets = manifest.targets();
  const bool answers_all = std::all_of(targets.begin(), targets.end(), [&](const std::string& target) {
    return Answers(shape, target, manifest.horizons, schema);
  });
  if (!answers_all) return "its network has no answer for what its manifest says it forecasts";
  return std::nullopt;
}

}  // namespace flowcast::training
