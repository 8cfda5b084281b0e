// The options of flowcast-inference.
#pragma once

#include <string>
#include <vector>

#include "libs/app/app.h"
#include "services/inference/inference_service.h"
#include "services/inference/rules_watcher.h"

namespace flowcast::services {

struct InferenceConfig {
  app::CommonOptions common{.http = "127.0.0.1:9474"};
  InferenceOptions inference;
  std::string rules;      // file; empty: one built-in rule
  std::string threshold;  // of the built-in rule
  double clear_ratio = 0.9;
  std::vector<std::string> capacity;
  std::vector<std::string> targets;
  std::string alert_expiry = "1h";
  std::string group = "flowcast-inference";
  std::string instance = "0";
  std::string exit_when_idle;
  std::string model = "default";
  std::string features = "default";
  std::string normalization = "robust";
  std::string link_expiry = "168h";

  /// Fills what the texts say, and says where the rules come from; that must not outlive this. Throws
  /// base::ConfigError.
  RuleSource Resolve();
  /// The topics that must be there.
  std::vector<std::string> Needs(const topics::Names& names) const;
  ModelDemands Demands() const { return {model, inference.targets, inference.horizons, inference.schema}; }

 private:
  std::vector<std::string> TargetsOfRules() const;
  alert::RuleSet MakeRules() const;
  bool LeavesLinksWithoutCapacity() const;
  alert::RuleSet BuiltIn(const alert::Capacities& capacities) const;

  bool packets_elsewhere_ = false;  // links without a capacity are watched for packets
};

void AddInferenceOptions(CLI::App& app, InferenceConfig& config);

}  // namespace flowcast::services
