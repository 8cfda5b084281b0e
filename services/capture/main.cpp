// flowcast-capture: packets onto packets.v1.
#include <CLI/CLI.hpp>

#include "libs/app/status.h"
#include "services/capture/capture_config.h"
#include "services/capture/capture_metrics.h"
#include "services/capture/capture_service.h"
#include "services/capture/sources.h"

namespace {

using namespace flowcast;
using namespace std::chrono_literals;

int Capture(const services::CaptureConfig& config) {
  if (config.list_interfaces) return services::PrintInterfaces();
  config.Check();
  base::SystemClock clock;
  const base::Log log = app::MakeLog("capture", config.common);
  const auto source = services::OpenSource(config, clock, log);
  const auto mapping = services::LoadMapping(config);  // while its key can be read
  const auto spool = services::OpenSpool(config, log);
  services::DropPrivileges(config, log);
  app::Status status(config.common, "capture", clock, log);
  const auto bus = app::ConnectBus(config.common, "flowcast-capture", log);
  if (config.common.check) return app::kOk;
  status.Start();  // threads inherit what privileges are left
  if (!app::WaitForTopics(*bus, {config.common.names().packets}, config.common, clock, log)) return app::kOk;
  const auto stop = [&status] {  // also asked while Kafka is away
    status.Beat();
    return app::StopRequested();
  };
  const auto producer = bus->MakeProducer({.linger = 5ms, .send_timeout = 500ms});
  const auto delivery = services::MakeDelivery(config, *producer, spool.get(), clock, log, stop);
  services::CaptureService service(
      {*source, *delivery, clock, log, stop,
       [&status](const auto& summary) { status.Publish(services::CaptureMetrics().Read(summary)); }},
      services::MakeCaptureOptions(config, *bus->MakeAdmin(), clock, log, mapping));
  status.SetReady(true, "capturing");
  return services::PrintSummary(config, service.Run(), log);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Captures packets from interfaces or files and sends them to Kafka in batches.");
  services::CaptureConfig config;
  services::AddCaptureOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return Capture(config); });
}
