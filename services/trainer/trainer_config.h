// The options of flowcast-trainer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/app/progress_bar.h"
#include "libs/lstm/learner.h"
#include "libs/training/example_store.h"
#include "services/trainer/trainer_parts.h"

namespace flowcast::services {

/// Without a sign of life for longer it counts as stalled: an epoch over all sequences must fit.
inline constexpr base::Duration kStallLimit = std::chrono::minutes(30);

struct TrainerConfig {
  app::CommonOptions common{.http = "127.0.0.1:9473"};
  TrainerOptions trainer{.dataset = {.horizons = {1, 2, 3, 6, 12}}, .limits = {.bytes = 1'000'000'000}};
  lstm::LearnerOptions learner;
  std::vector<std::string> models{"xgboost", "lstm"};  // trees first: a stop costs less
  std::vector<std::string> targets{"packets"};
  std::string features = "default";
  std::string normalization = "robust";
  std::string optimizer = "adamw";
  std::string every = "1h";
  std::string model_dir = "models";
  bool once = false;

  /// Fills what the texts say. Throws base::ConfigError.
  void Resolve();
};

void AddTrainerOptions(CLI::App& app, TrainerConfig& config);

/// Shows steps as a bar in a terminal; empty where standard error is none or has JSON. `bar` must outlive it.
std::function<void(const TrainingStep&)> Display(const TrainerConfig& config, app::ProgressBar& bar);

}  // namespace flowcast::services
