// The options of flowcast-trainer.
#pragma once

#include <string>

#include "libs/app/app.h"
#include "libs/lstm/learner.h"
#include "libs/training/example_store.h"
#include "services/trainer/trainer_service.h"

namespace flowcast::services {

/// Without a sign of life for longer it counts as stalled: an epoch over all sequences must fit.
inline constexpr base::Duration kStallLimit = std::chrono::minutes(30);

struct TrainerConfig {
  app::CommonOptions common{.http = "127.0.0.1:9473"};
  TrainerOptions trainer{.dataset = {.horizons = {1, 2, 3, 6, 12}}};
  lstm::LearnerOptions learner;
  std::string target = "packets";
  std::string features = "default";
  std::string normalization = "robust";
  std::string optimizer = "adam";
  std::string every = "1h";
  std::string model_dir = "models";
  bool once = false;

  /// Fills what the texts say. Throws base::ConfigError.
  void Resolve();
};

void AddTrainerOptions(CLI::App& app, TrainerConfig& config);

}  // namespace flowcast::services
