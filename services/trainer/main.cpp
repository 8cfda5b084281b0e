// flowcast-trainer: sequences.v1 into models.v1.
#include <CLI/CLI.hpp>

#include "libs/app/app.h"
#include "libs/app/status.h"
#include "services/trainer/trainer_config.h"
#include "services/trainer/trainer_metrics.h"
#include "services/trainer/trainer_service.h"

namespace {

using namespace flowcast;

int Train(services::TrainerConfig& config) {
  config.Resolve();
  base::SystemClock clock;
  const base::Log log = app::MakeLog("trainer", config.common);
  if (const auto advice = lstm::BlasAdvice()) log(base::LogLevel::kWarning, *advice);
  const topics::Names names = config.common.names();
  app::Status status(config.common, "trainer", clock, log, services::kStallLimit);
  const auto bus = app::ConnectBus(config.common, "flowcast-trainer", log);
  const model_store::ModelFolder folder(config.model_dir);
  if (config.common.check) return app::kOk;
  folder.Prepare(config.trainer.model_name);
  status.Start();
  if (!app::WaitForTopics(*bus, {names.sequences, names.models}, config.common, clock, log)) return app::kOk;
  const auto consumer = bus->MakeConsumer({});
  const auto producer = bus->MakeProducer({});
  lstm::LstmLearner learner(config.learner);
  services::TrainerService service(
      {*consumer, *producer, learner, lstm::LoadPredictor, folder, clock, log, app::StopRequested,
       [&status](const auto& progress) { status.Publish(services::TrainerMetrics().Read(progress)); }},
      config.trainer, names);
  status.SetReady(true, "reading " + names.sequences);
  const std::int32_t partitions = bus->MakeAdmin()->PartitionCount(names.sequences);
  config.once ? void(service.RunOnce(partitions)) : service.RunContinuously(partitions);
  return app::kOk;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains an LSTM on the sequences on Kafka and publishes the model.");
  services::TrainerConfig config;
  services::AddTrainerOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Train(config); });
}
