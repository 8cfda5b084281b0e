// Options of the inference and what they default to.
#include "services/inference/inference_config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/text.h"
#include "libs/rules_file/rules_file.h"
#include "services/inference/inference_metrics.h"

namespace flowcast::services {
namespace {

constexpr const char* kPackets = "packets";
constexpr const char* kBuiltInPackets = "100";  // a window

bool Contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

void AddInferenceOptions(CLI::App& app, InferenceConfig& config) {
  CLI::Option* rules = app.add_option("--rules", config.rules,
                                      "TOML file of alert rules, read again when it changes [one rule: the "
                                      "nearest median above --threshold]");
  CLI::Option* threshold =
      app.add_option("--threshold", config.threshold,
                     "without rules, alert above: packets a window (100), bytes a window (2MB), a share of "
                     "--capacity (80%), or a percentile of what the model learned from (p50, p90, p95, p99) "
                     "[80% where a capacity is known, else 100]");
  app.add_option(
      "--capacity", config.capacity,
      "bits a second of the links: 1G, or LINK=1G for one, or a pattern of links; may be repeated");
  CLI::Option* clear = app.add_option("--clear-ratio", config.clear_ratio,
                                      "without rules, an alert is resolved below this share of the threshold")
                           ->capture_default_str()
                           ->check(CLI::Range(0.0, 1.0));
  rules->excludes(threshold, clear);
  app.add_option(
         "--target", config.targets,
         "what is forecast, one or several: packets, bytes and any other of the features [what the rules "
         "or the threshold ask for]")
      ->delimiter(',');
  app.add_option("--features", config.features,
                 "as flowcast-features was told: the sequences must have these")
      ->capture_default_str();
  app.add_option("--normalization", config.normalization, "as flowcast-features was told")
      ->capture_default_str();
  app.add_option(
         "--horizons,--horizon", config.inference.horizons,
         "windows ahead, ascending; a rule that names none is about the first; the model is heard at those "
         "that it has")
      ->delimiter(',')
      ->capture_default_str();
  app.add_flag("--json-mirror", config.inference.json_mirror,
               "write each forecast to forecasts-json.v1, too, as JSON");
  app.add_option("--alert-expiry", config.alert_expiry,
                 "an alert of a link that nothing was heard of for so long, by the clock, ends (after three "
                 "windows at the earliest)")
      ->capture_default_str();
  app.add_option("--link-metrics", config.inference.shown.most,
                 "links that have metrics of their own, those with most load lately; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 1000));
  app.add_option("--link-metrics-like", config.inference.shown.patterns,
                 "of links whose name is like this pattern only; may be repeated [all]");
  app.add_option("--model", config.model, "name of the model to follow on models.v1")->capture_default_str();
  app.add_option("--link-expiry", config.link_expiry,
                 "a link without sequences for so long, by the clock, is forgotten")
      ->capture_default_str();
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

RuleSource InferenceConfig::Resolve() {
  packets_elsewhere_ = rules.empty() && threshold.empty() && LeavesLinksWithoutCapacity() &&
                       (targets.empty() || Contains(targets, kPackets));
  if (threshold.empty()) threshold = capacity.empty() ? kBuiltInPackets : "80%";
  inference.targets = targets.empty() ? TargetsOfRules() : targets;
  inference.schema = feature::Schema::Parse(features, feature::ParseScaling(normalization));
  training::TargetsOf(inference.schema, inference.targets);  // refuses what there is not
  forecast::CheckHorizons(inference.horizons);
  inference.alert_expiry = base::ParseDuration(alert_expiry);
  inference.trace = common.log_level == "debug";
  inference.link_expiry = base::ParseDuration(link_expiry);
  return {rules, [this] { return MakeRules(); }};
}

std::vector<std::string> InferenceConfig::TargetsOfRules() const {
  if (packets_elsewhere_) return {"bytes", kPackets};
  if (rules.empty()) return {alert::Threshold::Parse(threshold).Fits(kPackets) ? kPackets : "bytes"};
  std::vector<std::string> found;
  for (const alert::Rule& rule : rules_file::Read(rules).rules) {
    if (!Contains(found, rule.target)) found.push_back(rule.target);
  }
  return found;
}

bool InferenceConfig::LeavesLinksWithoutCapacity() const {
  alert::Capacities capacities;
  for (const std::string& text : capacity) alert::AddCapacity(text, capacities);
  return !capacities.empty() && !Contains(capacities.links(), "*");
}

alert::RuleSet InferenceConfig::BuiltIn(const alert::Capacities& capacities) const {
  const auto above = alert::Threshold::Parse(threshold);
  const auto fitting = std::find_if(inference.targets.begin(), inference.targets.end(),
                                    [&above](const auto& target) { return above.Fits(target); });
  if (fitting == inference.targets.end()) {
    throw base::ConfigError(
        "--threshold " + threshold + " does not go with --target " + base::Join(inference.targets) +
        "; give bytes (2MB) or a share (80%) for bytes, a number (100) for everything else");
  }
  if (above.kind == alert::Threshold::Kind::kShareOfCapacity && capacities.empty()) {
    throw base::ConfigError("--threshold " + threshold + " needs the links' capacity, like --capacity 1G");
  }
  alert::BuiltIn built_in{above, *fitting, clear_ratio, capacities};
  if (packets_elsewhere_) built_in.packets_elsewhere = alert::Threshold::Parse(kBuiltInPackets);
  return alert::BuiltInRules(built_in);
}

alert::RuleSet InferenceConfig::MakeRules() const {
  alert::Rulebook book;
  if (!rules.empty()) book = rules_file::Read(rules);
  for (const std::string& text : capacity) alert::AddCapacity(text, book.capacities);
  if (rules.empty()) return BuiltIn(book.capacities);
  alert::RuleSet made(std::move(book.rules), std::move(book.capacities));
  made.RequireForecasts(inference.targets, inference.horizons);
  return made;
}

}  // namespace flowcast::services
