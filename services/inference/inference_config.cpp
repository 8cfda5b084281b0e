// Options of the inference and what they default to.
#include "services/inference/inference_config.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/text.h"
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
  app.add_option("--target", config.targets,
                 "what is forecast, one or several: packets, bytes and any other of the features; alerts are "
                 "about the first that the threshold goes with [as the threshold asks for]")
      ->delimiter(',');
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

void InferenceConfig::Resolve() {
  inference.threshold = alert::Threshold::Parse(threshold);
  for (const std::string& text : capacity) alert::AddCapacity(text, inference.capacities);
  inference.targets = targets;
  if (targets.empty()) inference.targets = {inference.threshold.Fits("packets") ? "packets" : "bytes"};
  const auto fitting = std::find_if(inference.targets.begin(), inference.targets.end(),
                                    [this](const auto& target) { return inference.threshold.Fits(target); });
  inference.alert_target = static_cast<std::size_t>(fitting - inference.targets.begin());
  if (fitting == inference.targets.end()) {
    throw base::ConfigError(
        "--threshold " + threshold + " does not go with --target " + base::Join(inference.targets) +
        "; give bytes (2MB) or a share (80%) for bytes, a number (100) for everything else");
  }
  if (inference.threshold.kind == alert::Threshold::Kind::kShareOfCapacity && inference.capacities.empty()) {
    throw base::ConfigError("--threshold " + threshold + " needs the links' capacity, like --capacity 1G");
  }
  inference.schema = feature::Schema::Parse(features, feature::ParseScaling(normalization));
  training::TargetsOf(inference.schema, inference.targets);  // refuses what there is not
  forecast::CheckHorizons(inference.horizons);
}

}  // namespace flowcast::services
