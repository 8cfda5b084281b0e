// Trains an ensemble.
#pragma once

#include "libs/lstm/internal/weights.h"

namespace flowcast::lstm {

/// See LstmLearner::Train.
training::TrainedNetwork TrainEnsemble(const NetworkShape& shape, const LearnerOptions& options,
                                       const training::Examples& training,
                                       const training::Examples& validation,
                                       const training::TrainingHooks& hooks);

}  // namespace flowcast::lstm
