// The LSTM behind the seam that trainer and inference know (libs/training/learner.h).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "libs/lstm/network.h"
#include "libs/training/learner.h"

namespace flowcast::lstm {

struct LearnerOptions {
  std::int64_t hidden = 64;
  std::int64_t layers = 2;
  double dropout = 0.1;
  TrainingOptions training;
};

/// Trains an LSTM of these options.
class LstmLearner : public training::Learner {
 public:
  explicit LstmLearner(const LearnerOptions& options) : options_(options) {}
  training::TrainedNetwork Train(const training::Shape& shape, const training::Examples& training,
                                 const training::Examples& validation,
                                 const training::TrainingHooks& hooks) override;

 private:
  LearnerOptions options_;
};

/// A line for the log when torch runs on the slow reference BLAS, else nothing.
std::optional<std::string> BlasAdvice();

/// A training::PredictorLoader for weights that LstmLearner made.
std::unique_ptr<training::Predictor> LoadPredictor(const std::string& weights);

}  // namespace flowcast::lstm
