// A model's forecasters side by side.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/feature/schema.h"
#include "libs/model_store/model_folder.h"
#include "libs/training/sequence_view.h"

namespace flowcast::training {

/// By the expert that they are.
using Predictors = std::map<std::string, std::unique_ptr<Predictor>>;

/// The forecasters of a model, to be asked of sequences of `schema`. Throws base::RuntimeError for a name
/// that `loaders` do not have and for one that there is an objection to (libs/training/objection.h), and what
/// a loader throws.
Predictors LoadPredictors(const PredictorLoaders& loaders, const model_store::Model& model,
                          const feature::Schema& schema);

/// The name under which the mean of all forecasters stands.
inline constexpr const char* kTogether = "model";

/// What each forecaster says of the pairs, by its name, and the mean of them all as kTogether: a stand-in
/// for the mixture, which gives every one that is any good a weight. In the order of the pairs, which must
/// outlive the result. Throws base::RuntimeError when one does not forecast this.
std::map<std::string, std::vector<Scored>> ForecastAll(const Predictors& predictors,
                                                       const std::vector<Pair>& pairs, const Target& target,
                                                       int horizon);

}  // namespace flowcast::training
