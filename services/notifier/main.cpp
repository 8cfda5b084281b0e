// flowcast-notifier: alerts.v1 to web-hooks, Alertmanagers and syslog servers.
#include <CLI/CLI.hpp>

#include "libs/app/slices.h"
#include "services/notifier/notifier_config.h"
#include "services/notifier/notifier_metrics.h"
#include "services/notifier/receivers.h"
#include "services/notifier/workers.h"

namespace {

using namespace flowcast;

int Notify(services::NotifierConfig& config) {
  config.Resolve();
  base::SystemClock clock;
  const base::Log log = app::MakeLog("notifier", config.common);
  for (const std::string& warning : config.Warnings()) log(base::LogLevel::kWarning, warning);
  const topics::Names names = config.common.names();
  const services::Receivers receivers(config, clock, log);
  services::NotifierTask task(config.notifier, receivers.destinations(), clock, log);
  std::optional<services::Workers> workers;
  app::Status status(config.common, "notifier", clock, log);
  const app::SliceProgram program{.common = config.common,
                                  .status = status,
                                  .client_id = "flowcast-notifier",
                                  .group = config.group,
                                  .instance = config.instance,
                                  .input = names.alerts,
                                  .needs = {names.alerts},
                                  .exit_when_idle = "",
                                  .connected = [&](bus::Bus& bus) {
                                    task.Connect(bus, app::StopRequested);
                                    workers.emplace(receivers.destinations());
                                  }};
  return app::RunSlices(program, task, clock, log, [&](const slice::SliceCounters& counters) {
    status.Publish(services::NotifierMetrics().Read({counters, task}));
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Sends alerts to web-hooks, Alertmanagers and syslog servers.");
  services::NotifierConfig config;
  services::AddNotifierOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Notify(config); });
}
