// Options of the inference and what they default to.
#include "services/inference/inference_config.h"

#include <CLI/CLI.hpp>

#include "libs/base/error.h"
#include "services/inference/inference_metrics.h"

namespace flowcast::services {

void AddInferenceOptions(CLI::App& app, InferenceConfig& config) {
  app.add_option("--threshold", config.threshold,
                 "alert above: packets a window (100), bytes a window (2MB), a share of --capacity (80%), or "
                 "a percentile of what the model learned from (p50, p90, p95, p99)")
      ->capture_default_str();
  app.add_option("--capacity", config.capacity,
                 "bits a second of the links: 1G, or LINK=1G for one; may be repeated");
  app.add_option("--clear-ratio", config.inference.rule.clear_ratio,
                 "an alert is resolved below this share of the threshold")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--target", config.target,
                 "what is forecast: packets, bytes or another of the features [as the threshold asks for]");
  app.add_option("--features", config.features,
                 "as flowcast-features was told: the sequences must have these")
      ->capture_default_str();
  app.add_option("--normalization", config.normalization, "as flowcast-features was told")
      ->capture_default_str();
  app.add_option(
         "--horizons,--horizon", config.inference.horizons,
         "windows ahead, ascending; alerts are about the first; the model is heard at those that it has")
      ->delimiter(',')
      ->capture_default_str();
  app.add_flag("--json-mirror", config.inference.json_mirror,
               "write each forecast to forecasts-json.v1, too, as JSON");
  app.add_option("--model", config.model, "name of the model to follow on models.v1")->capture_default_str();
  app.add_option("--group", config.group, "consumer group")->capture_default_str();
  app.add_option("--instance", config.instance,
                 "name of this instance within its group; stable over restarts")
      ->capture_default_str();
  app.add_option("--exit-when-idle", config.exit_when_idle,
                 "end once nothing came for so long, after something had [never]");
  config.common.describe = [] { return InferenceMetrics().Describe(); };
  AddCommonOptions(app, config.common);
}

std::vector<std::string> InferenceConfig::Needs(const topics::Names& names) const {
  std::vector<std::string> needs{names.sequences, names.models, names.forecasts, names.alerts, names.state};
  if (inference.json_mirror) needs.push_back(names.forecasts_json);
  return needs;
}

void InferenceConfig::Resolve() {
  inference.threshold = alert::Threshold::Parse(threshold);
  for (const std::string& text : capacity) alert::AddCapacity(text, inference.capacities);
  const bool needs_bytes = !inference.threshold.Fits("packets");
  const std::string wanted = target.empty() ? (needs_bytes ? "bytes" : "packets") : target;
  if (!inference.threshold.Fits(wanted)) {
    throw base::ConfigError(
        "--threshold " + threshold + " does not go with --target " + wanted +
        "; give bytes (2MB) or a share (80%) for bytes, a number (100) for everything else");
  }
  if (inference.threshold.kind == alert::Threshold::Kind::kShareOfCapacity && inference.capacities.empty()) {
    throw base::ConfigError("--threshold " + threshold + " needs the links' capacity, like --capacity 1G");
  }
  inference.schema = feature::Schema::Parse(features, feature::ParseScaling(normalization));
  inference.target = wanted;
  training::Target(inference.schema, wanted);  // refuses what there is not
  forecast::CheckHorizons(inference.horizons);
}

}  // namespace flowcast::services
