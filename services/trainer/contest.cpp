// Asking both, and the numbers.
#include "services/trainer/contest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "libs/base/text.h"
#include "libs/training/predictors.h"

namespace flowcast::services {
namespace {

using model_store::Manifest;

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

/// Why the two cannot be compared; nothing when they can.
std::optional<std::string> Difference(const Manifest& a, const Manifest& b) {
  if (a.schema_hash != b.schema_hash) return "another schema";
  if (Sorted(a.targets()) != Sorted(b.targets())) return "another target";
  if (a.horizons != b.horizons) return "other horizons";
  if (a.window_length != b.window_length) return "another window length";
  if (a.sequence_length != b.sequence_length) return "another sequence length";
  return std::nullopt;
}

/// Of a target, the mean over the horizons of MAE / persistence's MAE; 1 where persistence makes no error.
double ErrorOf(const training::Predictors& predictors, const training::ExampleStore& store,
               const training::Target& target, const std::vector<int>& horizons,
               const model_store::Decision& part) {
  double sum = 0;
  for (const int horizon : horizons) {
    const auto pairs = store.Pairs(part.from, part.until, horizon);
    double error = 0;
    double persistence = 0;
    const auto forecasts = training::ForecastAll(predictors, pairs, target, horizon);
    for (const training::Scored& scored : forecasts.at(training::kTogether)) {
      error += std::abs(scored.actual - scored.forecast);
      persistence += std::abs(scored.actual - scored.persistence);
    }
    sum += persistence > 0 ? error / persistence : 1;
  }
  return sum / static_cast<double>(horizons.size());
}

/// By position of the targets.
std::vector<double> ErrorsOf(const training::Predictors& predictors, const training::ExampleStore& store,
                             const std::vector<training::Target>& targets, const std::vector<int>& horizons,
                             const model_store::Decision& part) {
  std::vector<double> errors;
  for (const training::Target& target : targets)
    errors.push_back(ErrorOf(predictors, store, target, horizons, part));
  return errors;
}

void WriteDown(const std::vector<std::string>& targets, const std::vector<double>& errors,
               const std::vector<double>& errors_before, model_store::Decision& decision) {
  const auto count = static_cast<double>(targets.size());
  decision.error = decision.error_before = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    decision.by_target[targets[i]] = {errors[i], errors_before[i]};
    decision.error += errors[i] / count;
    decision.error_before += errors_before[i] / count;
  }
}

/// The part that both are asked on: all of the validation part, or what of it the older one has not seen.
void ChoosePart(const training::ExampleStore& store, const MadeModel& made, const Manifest& current,
                model_store::Decision& decision) {
  const int horizon = made.model.manifest.horizon_windows;
  decision.until = made.model.manifest.trained_until;
  decision.from = std::max(made.validation_from, current.trained_until);
  decision.examples = store.Pairs(decision.from, decision.until, horizon).size();
  if (decision.examples >= kFewestToCompare || current.trained_until <= made.validation_from) return;
  decision.from = made.validation_from;
  decision.examples = store.Pairs(decision.from, decision.until, horizon).size();
  decision.seen_before = true;
}

std::string Numbers(const model_store::Decision& decision) {
  char text[200];
  std::snprintf(text, sizeof text, "its error is %.4f of persistence's, that of %s %.4f, on %s examples%s",
                decision.error, decision.against.c_str(), decision.error_before,
                base::Grouped(decision.examples).c_str(),
                decision.seen_before ? ", some of which that one had learned from" : "");
  std::string numbers = text;
  if (decision.by_target.size() == 1) return numbers;
  for (const auto& [target, errors] : decision.by_target) {
    std::snprintf(text, sizeof text, "; of %s %.4f and %.4f", target.c_str(), errors.error,
                  errors.error_before);
    numbers += text;
  }
  return numbers;
}

}  // namespace

model_store::Decision Compare(const training::ExampleStore& store, const feature::Schema& schema,
                              const std::vector<training::Target>& targets,
                              const training::PredictorLoaders& loaders, const MadeModel& made,
                              const std::optional<model_store::Model>& current) {
  model_store::Decision decision{.replaced = true, .reason = "no model was in use"};
  if (!current) return decision;
  decision.against = current->manifest.version;
  const Manifest& manifest = made.model.manifest;
  if (const auto difference = Difference(manifest, current->manifest)) {
    decision.reason = "it cannot be compared with " + decision.against + ", which has " + *difference;
    return decision;
  }
  try {
    ChoosePart(store, made, current->manifest, decision);
    const auto errors_of = [&](const model_store::Model& model) {
      return ErrorsOf(training::LoadPredictors(loaders, model, schema), store, targets, manifest.horizons,
                      decision);
    };
    WriteDown(manifest.targets(), errors_of(made.model), errors_of(*current), decision);
  } catch (const std::exception& error) {  // whoever may write the topic made the one in use
    decision = {.replaced = true,
                .reason = decision.against + " cannot be asked: " + error.what(),
                .against = decision.against};
    return decision;
  }
  decision.replaced = decision.error < decision.error_before;
  decision.reason = Numbers(decision);
  return decision;
}

}  // namespace flowcast::services
