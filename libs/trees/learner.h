// Trees behind the seam that trainer and inference know (libs/training/learner.h).
#pragma once

#include <memory>
#include <string>

#include "libs/training/learner.h"
#include "libs/trees/boosting.h"

namespace flowcast::trees {

/// One forest for each target and horizon, fitted on `threads` threads; how many changes nothing else.
/// Answers the median only: the shape's levels must be {0.5}. Examples without a truth for a horizon are left
/// out there; where all are, the forest stays empty, which is persistence. With validation examples the
/// rounds end early. The history has the rounds, with the forests' mean losses; the best of them is the one
/// with the smallest. The listener hears of each forest, with its own best losses; after it has said false
/// the forests that are not begun stay empty, too. There are no checkpoints.
class TreeLearner : public training::Learner {
 public:
  explicit TreeLearner(const BoostingOptions& options = {}, int threads = 1)
      : options_(options), threads_(threads) {}
  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples& training,
                                 const training::Examples& validation,
                                 const training::TrainingHooks& hooks) override;

 private:
  BoostingOptions options_;
  int threads_;  // forests that are fitted at once
};

/// A training::PredictorLoader for weights that TreeLearner made; refuses damaged and foreign bytes.
std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights);

}  // namespace flowcast::trees
