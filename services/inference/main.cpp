// flowcast-inference: sequences.v1 and models.v1 into forecasts.v1 and alerts.v1.
#include <CLI/CLI.hpp>

#include "libs/app/slices.h"
#include "libs/networks/networks.h"
#include "services/inference/inference_config.h"
#include "services/inference/inference_report.h"
#include "services/inference/model_reader.h"

namespace {

using namespace flowcast;

int Infer(services::InferenceConfig& config) {
  config.Resolve();
  base::SystemClock clock;
  const base::Log log = app::MakeLog("inference", config.common);
  networks::Advise(log);
  const topics::Names names = config.common.names();
  services::ModelWatcher watcher(config.Demands(), networks::Loaders(), log);
  services::InferenceTask task(config.inference, names, watcher, log);
  app::Status status(config.common, "inference", clock, log);
  services::InferenceReport report(task, watcher, clock, log, status.publisher());
  const auto bus = app::ConnectBus(config.common, "flowcast-inference", log);
  if (config.common.check) return app::kOk;
  status.Start();
  const std::vector needs{names.sequences, names.models, names.forecasts, names.alerts};
  if (!app::WaitForTopics(*bus, needs, config.common, clock, log)) return app::kOk;
  services::ModelReader models(*bus, names.models, watcher);
  models.ReadToEnd();
  return app::RunSlices({.common = config.common,
                         .status = status,
                         .client_id = "flowcast-inference",
                         .group = config.group,
                         .instance = config.instance,
                         .input = names.sequences,
                         .needs = needs,
                         .exit_when_idle = config.exit_when_idle,
                         .between = [&models] { models.Poll(); }},
                        task, clock, log, [&report](const auto& counters) { report.Write(counters); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Forecasts the links' load with the newest model on Kafka and raises alerts.");
  services::InferenceConfig config;
  services::AddInferenceOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Infer(config); });
}
