// Loading and asking them all.
#include "libs/training/predictors.h"

#include "libs/base/error.h"

namespace flowcast::training {

Predictors LoadPredictors(const PredictorLoaders& loaders,
                          const std::map<std::string, std::string>& networks) {
  Predictors predictors;
  for (const auto& [name, weights] : networks) {
    const auto loader = loaders.find(name);
    if (loader == loaders.end()) {
      throw base::RuntimeError("the model has a forecaster '" + name +
                               "' that this program does not know; use the version that made it");
    }
    predictors[name] = loader->second(weights);
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
