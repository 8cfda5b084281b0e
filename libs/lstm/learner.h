// The LSTM behind the seam that trainer and inference know (libs/training/learner.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/lstm/options.h"
#include "libs/training/learner.h"

namespace flowcast::lstm {

/// Trains an ensemble of LSTMs of these options, with pinball loss, gradient clipping and early stopping.
/// A member has the weights of its best epoch by validation loss in the end, where epoch 0, untrained and so
/// persistence, counts as well: training never ends worse than it began. The history has the members' mean
/// losses from epoch 0 on; the listener hears of those from 1 on. A member whose loss is not finite stops.
/// The same seed, options and examples give the same weights on the same machine, on any number of threads
/// that is not above the number of members, resumed or not.
class LstmLearner : public training::Learner {
 public:
  explicit LstmLearner(const LearnerOptions& options) : options_(options) {}
  /// Throws base::ConfigError for options that cannot be, and for examples that do not fit the shape, have no
  /// truth, or hold a value that is not finite (targets may be NaN) or a negative weight.
  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples& training,
                                 const training::Examples& validation,
                                 const training::TrainingHooks& hooks) override;

 private:
  LearnerOptions options_;
};

/// A line for the log when torch runs on the slow reference BLAS, else nothing.
std::optional<std::string> BlasAdvice();

/// "libtorch 1.13.1, OpenBLAS"; says so when the slow reference BLAS is in use.
std::string LibraryVersion();

/// A training::PredictorLoader for weights that LstmLearner made. What is no finite number among the inputs
/// counts as 0; an answer that would not be finite is persistence. A row's answer does not depend on the
/// other rows of its batch or on their number.
std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights);

}  // namespace flowcast::lstm
