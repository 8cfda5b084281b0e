// flowcast-trainer: sequences.v1 into models.v1.
#include <CLI/CLI.hpp>

#include "libs/app/progress_bar.h"
#include "libs/app/status.h"
#include "libs/networks/networks.h"
#include "services/trainer/forecasters.h"
#include "services/trainer/trainer_config.h"
#include "services/trainer/trainer_metrics.h"
#include "services/trainer/trainer_service.h"

namespace {
using namespace flowcast;

int Train(services::TrainerConfig& config) {
  config.Resolve();
  base::SystemClock clock;
  app::ProgressBar bar;
  const base::Log log = bar.Above(app::MakeLog("trainer", config.common));
  networks::Advise(log);
  const topics::Names names = config.common.names();
  app::Status status(config.common, "trainer", clock, log, services::kStallLimit);
  const auto bus = app::ConnectBus(config.common, "flowcast-trainer", log);
  const model_store::ModelFolder folder(config.model_dir);
  if (config.common.check) return app::kOk;
  folder.Prepare(config.trainer.model_name);
  status.Start();
  app::EndWithin(std::chrono::seconds(75));  // of the 90 that deploy/ grants
  const std::vector<std::string> needs{names.sequences, names.models, names.forecasts};
  if (!app::WaitForTopics(*bus, needs, config.common, clock, log)) return app::kOk;
  const services::Forecasters forecasters(config);
  services::TrainerService service(
      {*bus, forecasters.chosen(), networks::Loaders(), folder, clock, log, app::StopRequested,
       [&status](const auto& progress) { status.Publish(services::TrainerMetrics().Read(progress)); },
       services::Display(config, bar)},
      config.trainer, names);
  status.SetReady(true, "reading " + names.sequences);
  const std::int32_t partitions = bus->MakeAdmin()->PartitionCount(names.sequences);
  config.once ? void(service.RunOnce(partitions)) : service.RunContinuously(partitions);
  return app::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the forecasters of a model on the sequences on Kafka and publishes it.");
  services::TrainerConfig config;
  services::AddTrainerOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Train(config); });
}
