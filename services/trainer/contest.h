// Whether a new model takes the place of the one in use.
#pragma once

#include <optional>

#include "services/trainer/model_maker.h"

namespace flowcast::services {

/// A part of the validation examples is enough to compare on from so many on.
inline constexpr std::size_t kFewestToCompare = 50;

/// Asks both on the newest examples, the validation part of the new one, and compares the mean absolute
/// errors as shares of persistence's, in the mean over the targets and horizons. What the one in use has
/// learned from is left out if enough remains; if not, the decision says so. The new one must be better; one
/// that cannot be compared (another schema, target, horizons, window or sequence length, or the one in use
/// cannot be asked) takes the place. `schema` is that of the sequences, `targets` are those of the new one,
/// in its order. `trained_for` is left empty.
model_store::Decision Compare(const training::ExampleStore& store, const feature::Schema& schema,
                              const std::vector<training::Target>& targets,
                              const training::PredictorLoaders& loaders, const MadeModel& made,
                              const std::optional<model_store::Model>& current);

}  // namespace flowcast::services
