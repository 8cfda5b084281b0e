// Loading and asking them all.
#include "libs/training/predictors.h"

#include "libs/base/error.h"
#include "libs/training/objection.h"

namespace flowcast::training {

Predictors LoadPredictors(const PredictorLoaders& loaders, const model_store::Model& model,
                          const feature::Schema& schema) {
  Predictors predictors;
  for (const auto& [name, weights] : model.networks) {
    const auto loader = loaders.find(name);
    if (loader == loaders.end()) {
      throw base::RuntimeError("the model has a forecaster '" + name +
                               "' that this program does not know; use the version that made it");
    }
    auto predictor = loader->second(weights);
    if (const auto objection = ObjectionTo(predictor->shape(), model.manifest, schema)) {
      throw base::RuntimeError("the model's forecaster '" + name + "' cannot be used: " + *objection +
                               "; train the model again");
    }
    predictors[name] = std::move(predictor);
  }
  return predictors;
}

std::map<std::string, std::vector<Scored>> ForecastAll(const Predictors& predictors,
                                                       const std::vector<Pair>& pairs, const Target& target,
                                                       int horizon) {
  std::map<std::string, std::vector<Scored>> said;
  std::vector<Scored> together;
  for (const auto& [name, predictor] : predictors) {
    const auto& scored = said[name] = Forecast(*predictor, pairs, target, horizon);
    if (together.empty()) {
      together = scored;
      for (Scored& one : together) one.forecast = 0;
    }
    for (std::size_t i = 0; i < scored.size(); ++i) {
      together[i].forecast += scored[i].forecast / static_cast<double>(predictors.size());
    }
  }
  said[kTogether] = std::move(together);
  return said;
}

}  // namespace flowcast::training
