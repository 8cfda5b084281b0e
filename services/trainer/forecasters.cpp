// The LSTM and the trees, by name.
#include "services/trainer/forecasters.h"

#include "libs/lstm/learner.h"
#include "libs/trees/learner.h"

namespace flowcast::services {

Forecasters::Forecasters(const TrainerConfig& config) {
  const training::DatasetOptions& dataset = config.trainer.dataset;
  for (const std::string& name : config.models) {
    if (name == "xgboost") {
      trees::BoostingOptions options;
      options.seed = static_cast<std::uint32_t>(config.trainer.seed);
      learners_.push_back(std::make_unique<trees::TreeLearner>(options, config.learner.training.threads));
      chosen_.push_back({.name = name,
                         .learner = *learners_.back(),
                         .load = trees::LoadPredictor,
                         .levels = {0.5},
                         .steps = static_cast<int>(dataset.targets.size() * dataset.horizons.size()),
                         .step = "forest"});
    } else {
      learners_.push_back(std::make_unique<lstm::LstmLearner>(config.learner));
      chosen_.push_back({.name = name,
                         .learner = *learners_.back(),
                         .load = lstm::LoadPredictor,
                         .levels = dataset.levels,
                         .steps = config.learner.training.epochs,
                         .step = "epoch"});
    }
  }
}

}  // namespace flowcast::services
