// The forecasters that --models names; used by main only.
#pragma once

#include <memory>
#include <vector>

#include "libs/training/learner.h"
#include "services/trainer/trainer_config.h"

namespace flowcast::services {

/// Owns the learners; must outlive what `chosen` returns.
class Forecasters {
 public:
  explicit Forecasters(const TrainerConfig& config);
  const std::vector<training::Forecaster>& chosen() const { return chosen_; }

 private:
  std::vector<std::unique_ptr<training::Learner>> learners_;
  std::vector<training::Forecaster> chosen_;
};

}  // namespace flowcast::services
