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
  base::SystemClock clock;
  if (!config.rules.empty()) app::NoteHangups();
  const base::Log log = app::MakeLog("inference", config.common);
  services::RulesWatcher rules(config.Resolve(), clock, log);
  config.inference.rules = rules.current();
  networks::Advise(log);
  const topics::Names names = config.common.names();
  services::ModelWatcher watcher(config.Demands(), networks::Loaders(), log);
  services::InferenceTask task(config.inference, names, watcher, clock, log);
  std::optional<services::InferenceStore> store;
  std::optional<services::ModelReader> models;
  app::Status status(config.common, "inference", clock, log);
  services::InferenceReport report(task, watcher, rules, clock, log, status.publisher());
  return app::RunSlices({.common = config.common,
                         .status = status,
                         .client_id = "flowcast-inference",
                         .group = config.group,
                         .instance = config.instance,
                         .input = names.sequences,
                         .needs = config.Needs(names),
                         .exit_when_idle = config.exit_when_idle,
                         .between = [&] { models->Poll(), task.UseRules(rules.Poll(app::HangupCame())); },
                         .connected =
                             [&](bus::Bus& bus) {
                               task.Connect(store.emplace(bus, clock, names.state, app::StopRequested, log));
                               models.emplace(bus, names.models, watcher).ReadToEnd();
                             }},
                        task, clock, log, [&report](const auto& counters) { report.Write(counters); });
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Forecasts the links' load with the newest model on Kafka and raises alerts.");
  services::InferenceConfig config;
  services::AddInferenceOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Infer(config); });
}
