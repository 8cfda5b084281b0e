// The options of flowcast-inference.
#pragma once

#include <string>
#include <vector>

#include "libs/app/app.h"
#include "services/inference/inference_service.h"

namespace flowcast::services {

struct InferenceConfig {
  app::CommonOptions common{.http = "127.0.0.1:9474"};
  InferenceOptions inference;
  std::string threshold = "100";
  std::vector<std::string> capacity;
  std::string target;
  std::string group = "flowcast-inference";
  std::string instance = "0";
  std::string exit_when_idle;
  std::string model = "default";
  std::string features = "default";
  std::string normalization = "robust";

  /// Fills what the texts say. Throws base::ConfigError.
  void Resolve();
  /// The topics that must be there.
  std::vector<std::string> Needs(const topics::Names& names) const;
  ModelDemands Demands() const { return {model, inference.target, inference.horizons, inference.schema}; }
};

void AddInferenceOptions(CLI::App& app, InferenceConfig& config);

}  // namespace flowcast::services
