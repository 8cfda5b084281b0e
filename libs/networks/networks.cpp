// By the expert that each is.
#include "libs/networks/networks.h"

#include "libs/lstm/learner.h"
#include "libs/trees/learner.h"

namespace flowcast::networks {

const training::PredictorLoaders& Loaders() {
  static const training::PredictorLoaders loaders{{"lstm", lstm::LoadPredictor},
                                                  {"xgboost", trees::LoadPredictor}};
  return loaders;
}

void Advise(const base::Log& log) {
  if (const auto advice = lstm::BlasAdvice()) log(base::LogLevel::kWarning, *advice);
}

}  // namespace flowcast::networks
