// flowcast generate: made-up packets onto packets.v1.
#include <CLI/CLI.hpp>
#include <memory>

#include "libs/base/text.h"
#include "libs/capture/paced_source.h"
#include "libs/capture/synthetic_source.h"
#include "libs/delivery/waiting_delivery.h"
#include "services/capture/capture_service.h"
#include "tools/flowcast/commands.h"

namespace flowcast::tools {
namespace {

struct GenerateOptions {
  capture::SyntheticOptions synthetic;
  std::string source = "synthetic";
  std::string duration = "30m";
  std::string period = "24h";
  std::string burst_length = "20s";
  double speed = 0;
  bool start_now = false;
};

void Resolve(GenerateOptions& options, const base::Clock& clock) {
  options.synthetic.duration = base::ParseDuration(options.duration);
  options.synthetic.period = base::ParseDuration(options.period);
  options.synthetic.burst_length = base::ParseDuration(options.burst_length);
  if (options.start_now) options.synthetic.start = base::AlignDown(clock.Now(), std::chrono::seconds(1));
}

int Generate(const app::CommonOptions& common, GenerateOptions& options) {
  base::SystemClock clock;
  Resolve(options, clock);
  const base::Log log = app::MakeLog("generate", common);
  std::unique_ptr<capture::PacketSource> source =
      std::make_unique<capture::SyntheticSource>(options.synthetic);
  if (options.speed > 0)
    source = std::make_unique<capture::PacedSource>(std::move(source), options.speed, clock);
  const auto bus = app::ConnectBus(common, "flowcast-generate", log);
  const std::string topic = common.names().packets;
  if (!app::WaitForTopics(*bus, {topic}, common, clock, log)) return app::kOk;
  const auto producer = bus->MakeProducer(
      {.linger = std::chrono::milliseconds(5), .send_timeout = std::chrono::milliseconds(500)});
  delivery::WaitingDelivery delivery({*producer, clock, log, app::StopRequested}, topic);
  services::CaptureService service(
      {*source, delivery, clock, log, app::StopRequested},
      {.batches = {.source = options.source, .partitions = bus->MakeAdmin()->PartitionCount(topic)},
       .paced = options.speed > 0});
  const services::CaptureSummary summary = service.Run();
  log(base::LogLevel::kInfo,
      base::Grouped(summary.packets.published) + " packets in " + base::Grouped(summary.batches) +
          " batches, " + base::Short(static_cast<double>(summary.packets.published) / summary.seconds) +
          " packets/s");
  return app::kOk;
}

}  // namespace

void AddGenerateCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<GenerateOptions>();
  capture::SyntheticOptions& synthetic = options->synthetic;
  CLI::App* generate =
      app.add_subcommand("generate", "send made-up packets to packets.v1, the same for the same seed");
  generate->add_option("--source", options->source, "name of the source")->capture_default_str();
  generate->add_option("--links", synthetic.links, "how many links")->capture_default_str();
  generate->add_option("--rate", synthetic.packets_per_s, "packets/s of a link, on average outside bursts")
      ->capture_default_str();
  generate->add_option("--noise", synthetic.noise, "standard deviation of the rate, as a share of it")
      ->capture_default_str();
  generate
      ->add_option("--pattern", synthetic.pattern,
                   "amplitude of the periodic pattern, as a share of the rate")
      ->capture_default_str();
  generate->add_option("--period", options->period, "of the pattern")->capture_default_str();
  generate->add_option("--bursts-per-hour", synthetic.bursts_per_hour, "of a link")->capture_default_str();
  generate->add_option("--burst-factor", synthetic.burst_factor, "how much the rate grows in a burst")
      ->capture_default_str();
  generate->add_option("--burst-length", options->burst_length, "mean length of a burst")
      ->capture_default_str();
  generate->add_option("--duration", options->duration, "of event time")->capture_default_str();
  generate->add_option("--seed", synthetic.seed, "of the random numbers")->capture_default_str();
  generate->add_option("--speed", options->speed, "0: as fast as possible; 1: real time; 10: ten times that")
      ->capture_default_str();
  generate->add_flag("--start-now", options->start_now,
                     "begin at the present time rather than at a fixed one");
  generate->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Generate(common, *options); }; });
}

}  // namespace flowcast::tools
