// The model, forecasts and alerts.
#include <algorithm>

#include "libs/base/text.h"
#include "libs/diagnosis/internal/checks.h"

namespace flowcast::diagnosis::internal {
namespace {

constexpr const char* kModel = "model";

/// Why the model cannot be asked for the newest sequence, "" if it can.
std::string MisfitOf(const ModelSeen& model, const Observation& seen) {
  if (!seen.sequence) return "";
  const SequenceSeen& sequence = *seen.sequence;
  if (model.schema_hash != sequence.schema_hash)
    return "it knows other features (--features, --normalization)";
  if (model.window_length != sequence.window_length) {
    return "it knows windows of " + base::FormatDuration(model.window_length) + ", those now are of " +
           base::FormatDuration(sequence.window_length);
  }
  if (model.sequence_length != static_cast<std::int64_t>(sequence.length)) {
    return "it knows sequences of " + std::to_string(model.sequence_length) + " windows, those now have " +
           std::to_string(sequence.length);
  }
  if (seen.forecast &&
      std::find(model.targets.begin(), model.targets.end(), seen.forecast->target) == model.targets.end()) {
    return "it does not forecast " + seen.forecast->target;
  }
  return "";
}

Finding CheckUse(const ModelSeen& model, const Observation& seen) {
  const std::string text = model.current + " (" + base::Join(model.targets) + ")";
  if (!seen.forecast) return Ok(kModel, text + "; nothing was forecast yet");
  if (seen.forecast->model_version == model.current) return Ok(kModel, text + ", in use");
  if (!seen.forecast->model_version.empty()) {
    return Warning(
        kModel, text + "; the newest forecast used " + seen.forecast->model_version,
        "inference takes a new one within a second; if it stays so, look for 'refused' in its log");
  }
  if (seen.sequence && seen.sequence->end < model.trained_until) {
    return Warning(kModel,
                   text + " is not asked: it was trained on windows until " +
                       base::FormatTime(model.trained_until) + ", which are not over yet",
                   "send newer packets, or train on a part: flowcast-trainer --train-fraction 0.7");
  }
  return Warning(kModel, text + " is not asked",
                 "look for 'refused' in the log of flowcast-inference; the name is --model " + model.name);
}

}  // namespace

Finding CheckModel(const Observation& seen) {
  const ModelSeen& model = seen.model;
  if (!model.refused.empty()) {
    return Failed(kModel, "models can't be read: " + model.refused,
                  "allow this user to describe and read the topic of models");
  }
  if (model.current.empty()) {
    return Warning(kModel,
                   "there is none named '" + model.name + "': forecasts come from persistence and smoothing",
                   "start flowcast-trainer and wait; if it runs, its last line says what it waits for");
  }
  if (!model.is_there) {
    return Failed(kModel, model.current + " is to be used, but is not on the topic",
                  "flowcast models list, then flowcast models rollback VERSION; or train anew");
  }
  const std::string misfit = MisfitOf(model, seen);
  if (!misfit.empty()) {
    return Failed(kModel, model.current + " can't be asked: " + misfit,
                  "train one on what is there now: flowcast-trainer with the options of the features");
  }
  return CheckUse(model, seen);
}

Finding CheckForecasts(const Observation& seen) {
  const std::string check = "forecasts";
  if (auto refused = Refused(check, seen.forecasts)) return *refused;
  const std::string remedy = seen.inference.members == 0 && seen.inference.refused.empty()
                                 ? "start flowcast-inference: no instance of it is running"
                                 : "look for 'skipped' in the log of flowcast-inference: its --features must "
                                   "be those of the features";
  if (!seen.forecast) {
    if (!seen.sequence) return Unknown(check, "none yet; they are made of sequences");
    return Failed(check, "there is no record on " + seen.forecasts.topic, remedy);
  }
  const ForecastSeen& forecast = *seen.forecast;
  const std::string text = "the newest, of " + forecast.link + " at " + base::FormatTime(forecast.made_at) +
                           ": " + base::Short(forecast.median) + " " + forecast.target + " a window, " +
                           forecast.quality;
  if (!seen.sequence || seen.sequence->end - forecast.made_at <= Tolerance(seen.sequence->window_length)) {
    return Ok(check, text);
  }
  const std::string behind =
      text + "; " + Span(seen.sequence->end - forecast.made_at) + " behind the sequences";
  return seen.inference.members == 0 ? Failed(check, behind, remedy) : Warning(check, behind, remedy);
}

Finding CheckAlerts(const Observation& seen) {
  const std::string check = "alerts";
  if (auto refused = Refused(check, seen.alerts)) return *refused;
  if (seen.alerts.has_records) {
    return Ok(check, "the newest, of " + Ago(seen.alerts.newest.value_or(seen.clock.now), seen.clock.now) +
                         ": " + seen.newest_alert);
  }
  if (!seen.forecast) return Unknown(check, "none yet; they are made of forecasts");
  return Ok(check, "none so far; the newest forecasts reach " + base::Short(seen.highest_median) + " " +
                       seen.forecast->target + " a window (is the threshold within reach?)");
}

}  // namespace flowcast::diagnosis::internal
