// The settings of the LSTM and of its training.
#pragma once

#include <cstdint>

namespace flowcast::lstm {

enum class Optimizer { kAdam, kAdamW, kSgd };

struct TrainingOptions {
  int epochs = 60;
  int patience = 8;  // epochs without a better validation loss before a member stops
  double learning_rate = 1e-3;
  Optimizer optimizer = Optimizer::kAdam;
  std::int64_t batch_size = 32;
  double gradient_clip = 1.0;  // norm
  std::uint64_t seed = 1;
  int threads = 1;  // members side by side; a single one spreads its products over them
};

struct LearnerOptions {
  std::int64_t hidden = 64;
  std::int64_t layers = 2;
  double dropout = 0.1;         // between layers, while training
  bool attention = false;       // over the steps of the last layer
  std::int64_t head_size = 32;  // hidden units between the LSTM and the answers; 0: linear
  int members = 1;              // networks of different seeds whose quantiles are averaged
  TrainingOptions training;
};

}  // namespace flowcast::lstm
