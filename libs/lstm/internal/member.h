// One network of an ensemble while it learns.
#pragma once

#include <torch/torch.h>

#include "libs/base/random.h"
#include "libs/lstm/internal/module.h"
#include "libs/lstm/internal/optimizer.h"

namespace flowcast::lstm {

/// What training goes on from after an epoch.
struct MemberState {
  Parameters current;
  Parameters best;
  Moments moments;
  double best_loss = 0;      // over the validation part
  int best_epoch = 0;        // 0 is untrained
  bool finished = false;     // no better for `patience` epochs, or its loss was not finite
  double training_loss = 0;  // of its last epoch
  double validation_loss = 0;
};

/// Examples and what an error of each answer counts; `weights` [count][targets] have the mean 1 in training.
struct WeighedExamples {
  const training::Examples& examples;
  std::vector<float> weights;
};

/// Weights divided by their mean over the training part; all 1 where there are none.
std::pair<WeighedExamples, WeighedExamples> Weigh(const training::Shape& shape,
                                                  const training::Examples& training,
                                                  const training::Examples& validation);

/// Examples must outlive it. The order of examples and the dropout of an epoch follow from seed and epoch
/// alone, so that a checkpoint needs neither.
class Member {
 public:
  Member(const NetworkShape& shape, const TrainingOptions& options, std::uint64_t seed,
         const Parameters& parameters, const WeighedExamples& training, const WeighedExamples& validation);

  /// Measures the untrained network.
  void Begin();
  /// One pass over the training part, then the validation part.
  void Learn(int epoch);

  MemberState state() const;
  void Resume(const MemberState& state);
  bool finished() const { return state_.finished; }
  double training_loss() const { return state_.training_loss; }
  double validation_loss() const { return state_.validation_loss; }
  const Parameters& best() const { return state_.best; }

 private:
  double LossOver(const WeighedExamples& examples);
  double TrainBatch(std::span<const std::int64_t> rows);
  /// Sum over the answers that have a truth; gradients, divided by their number, when asked for.
  double Loss(const Outputs& outputs, const WeighedExamples& examples, std::span<const std::int64_t> rows,
              Outputs* gradients);
  torch::Tensor Mask(const torch::Tensor& like);

  NetworkShape shape_;
  TrainingOptions options_;
  std::uint64_t seed_;
  const WeighedExamples& training_;
  const WeighedExamples& validation_;
  Module module_;
  GradientDescent optimizer_;
  base::Random random_;
  Batch batch_;
  double answers_ = 0;  // how many the last Loss was over
  MemberState state_;
};

}  // namespace flowcast::lstm
