// The settings of the LSTM and of its training.
#pragma once

#include <cstdint>

namespace flowcast::lstm {

enum class Optimizer { kAdam, kAdamW, kSgd };

/// The defaults here and below are those of the trainer and of the back-test: what did well on recorded
/// series.
struct TrainingOptions {
  int epochs = 20;
  int patience = 6;  // epochs without a better validation loss before a member stops
  double learning_rate = 2e-3;
  Optimizer optimizer = Optimizer::kAdamW;
  std::int64_t batch_size = 64;
  double gradient_clip = 1.0;  // norm
  std::uint64_t seed = 1;
  int threads = 1;  // members side by side; a single one spreads its products over them
};

struct LearnerOptions {
  std::int64_t hidden = 48;
  std::int64_t layers = 1;
  double dropout = 0;           // between layers, while training
  bool attention = false;       // over the steps of the last layer
  std::int64_t head_size = 32;  // hidden units between the LSTM and the answers; 0: linear
  int members = 1;              // networks of different seeds whose quantiles are averaged
  TrainingOptions training;
};

}  // namespace flowcast::lstm
