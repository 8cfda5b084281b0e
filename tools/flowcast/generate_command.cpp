// flowcast generate: made-up packets onto packets.v1.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/capture/paced_source.h"
#include "libs/delivery/waiting_delivery.h"
#include "libs/scenario_file/scenario_file.h"
#include "libs/synthetic/scenario_fields.h"
#include "libs/synthetic/synthetic_source.h"
#include "libs/synthetic/truth.h"
#include "services/capture/capture_service.h"
#include "tools/flowcast/commands.h"

namespace flowcast::tools {
namespace {

/// What is given overrides the scenario.
struct GenerateOptions {
  std::string scenario;
  std::string truth;
  bool print_scenario = false;
  std::string source = "synthetic";
  std::optional<int> links;
  std::optional<double> rate;
  std::optional<double> noise;
  std::optional<double> pattern;
  std::optional<std::string> period;
  std::optional<double> bursts_per_hour;
  std::optional<double> burst_factor;
  std::optional<std::string> burst_length;
  std::optional<std::string> duration;
  std::optional<std::uint64_t> seed;
  double speed = 0;
  bool start_now = false;
};

template <class To, class From>
void Override(To& to, const std::optional<From>& from, const char* option, const synthetic::Limit& limit) {
  if (!from) return;
  if constexpr (std::is_same_v<From, std::string>) {
    to = base::ParseDuration(*from);
    synthetic::RequireWithin(option, base::ToSeconds(to), limit);
  } else {
    synthetic::RequireWithin(option, static_cast<double>(*from), limit);
    to = *from;
  }
}

/// --links and --rate say how big one group is; several would lose what tells them apart.
void RequireOneGroup(const synthetic::Scenario& scenario, const GenerateOptions& options) {
  const char* option = options.links ? "--links" : options.rate ? "--rate" : nullptr;
  if (option == nullptr || scenario.groups.size() == 1) return;
  throw base::ConfigError(std::string(option) + " is for scenarios with one [[links]] table, and " +
                          options.scenario + " has " + std::to_string(scenario.groups.size()) +
                          "; set it in the file");
}

void OverrideLinks(synthetic::LinkGroup& links, const GenerateOptions& options) {
  Override(links.count, options.links, "--links", synthetic::kLinkCount);
  Override(links.rate, options.rate, "--rate", synthetic::kRate);
  Override(links.noise.fast, options.noise, "--noise", synthetic::kNoise);
  Override(links.cycle.amplitude, options.pattern, "--pattern", synthetic::kAmplitude);
  Override(links.cycle.period, options.period, "--period", synthetic::kPeriod);
  Override(links.bursts.per_hour, options.bursts_per_hour, "--bursts-per-hour", synthetic::kBurstsPerHour);
  Override(links.bursts.factor, options.burst_factor, "--burst-factor", synthetic::kFactor);
  Override(links.bursts.length, options.burst_length, "--burst-length", synthetic::kDuration);
}

synthetic::Scenario Resolve(const GenerateOptions& options, const base::Clock& clock) {
  synthetic::Scenario scenario =
      options.scenario.empty() ? synthetic::DefaultScenario() : scenario_file::ReadScenario(options.scenario);
  RequireOneGroup(scenario, options);
  for (synthetic::LinkGroup& links : scenario.groups) OverrideLinks(links, options);
  Override(scenario.duration, options.duration, "--duration", synthetic::kDuration);
  Override(scenario.seed, options.seed, "--seed", synthetic::kSeed);
  if (options.start_now) scenario.start = base::AlignDown(clock.Now(), std::chrono::seconds(1));
  synthetic::Validate(scenario);
  return scenario;
}

void WriteTruthFile(const synthetic::Scenario& scenario, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  synthetic::WriteTruth(scenario, file);
  file.close();
  if (!file)
    throw base::RuntimeError("cannot write the truth to " + path + "; name another file with --truth");
}

int Send(const app::CommonOptions& common, const GenerateOptions& options,
         const synthetic::Scenario& scenario, base::SystemClock& clock) {
  const base::Log log = app::MakeLog("generate", common);
  std::unique_ptr<capture::PacketSource> source = std::make_unique<synthetic::SyntheticSource>(scenario);
  if (options.speed > 0) {
    const bool live = options.start_now && options.speed == 1;
    source = std::make_unique<capture::PacedSource>(
        std::move(source), options.speed, clock,
        live ? capture::PacedSource::Anchor::kClock : capture::PacedSource::Anchor::kFirstPacket);
  }
  const auto bus = app::ConnectBus(common, "flowcast-generate", log);
  const std::string topic = common.names().packets;
  if (!app::WaitForTopics(*bus, {topic}, common, clock, log)) return app::kOk;
  const auto producer = bus->MakeProducer(
      {.linger = std::chrono::milliseconds(5), .send_timeout = std::chrono::milliseconds(500)});
  delivery::WaitingDelivery delivery({*producer, clock, log, app::StopRequested}, topic);
  services::CaptureService service({*source, delivery, clock, log, app::StopRequested},
                                   {.batches = {.source = options.source,
                                                .settings = base::Fnv1a64(synthetic::ToToml(scenario)),
                                                .partitions = bus->MakeAdmin()->PartitionCount(topic),
                                                .reorder_tolerance = base::Duration::zero()},
                                    .paced = options.speed > 0});
  const services::CaptureSummary summary = service.Run();
  log(base::LogLevel::kInfo,
      base::Grouped(summary.packets.published) + " packets in " + base::Grouped(summary.batches) +
          " batches, " + base::Short(static_cast<double>(summary.packets.published) / summary.seconds) +
          " packets/s");
  return app::kOk;
}

int Generate(const app::CommonOptions& common, const GenerateOptions& options) {
  base::SystemClock clock;
  const synthetic::Scenario scenario = Resolve(options, clock);
  if (!options.truth.empty()) WriteTruthFile(scenario, options.truth);
  if (!options.print_scenario) return Send(common, options, scenario, clock);
  std::cout << synthetic::ToToml(scenario);
  return app::kOk;
}

void AddTrafficOptions(CLI::App& generate, GenerateOptions& options) {
  generate.add_option("--links", options.links, "how many links")->default_str("2");
  generate.add_option("--rate", options.rate, "packets/s of a link, on average outside bursts")
      ->default_str("100");
  generate.add_option("--noise", options.noise, "standard deviation of the rate, as a share of it")
      ->default_str("0.2");
  generate
      .add_option("--pattern", options.pattern, "amplitude of the periodic pattern, as a share of the rate")
      ->default_str("0.5");
  generate.add_option("--period", options.period, "of the pattern")->default_str("24h");
  generate.add_option("--bursts-per-hour", options.bursts_per_hour, "of a link")->default_str("6");
  generate.add_option("--burst-factor", options.burst_factor, "how much the rate grows in a burst")
      ->default_str("5");
  generate.add_option("--burst-length", options.burst_length, "mean length of a burst")->default_str("20s");
  generate.add_option("--duration", options.duration, "of event time")->default_str("30m");
  generate.add_option("--seed", options.seed, "of the random numbers")->default_str("1");
}

}  // namespace

void AddGenerateCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<GenerateOptions>();
  CLI::App* generate =
      app.add_subcommand("generate", "send made-up packets to packets.v1, the same for the same seed");
  generate->add_option("--scenario", options->scenario,
                       "TOML file that describes the traffic (docs/generate.md); options override it");
  generate->add_option("--truth", options->truth,
                       "write when the bursts and overloads are to this file (JSON)");
  generate->add_flag("--print-scenario", options->print_scenario,
                     "write the whole scenario as TOML and send nothing");
  generate->add_option("--source", options->source, "name of the source")->capture_default_str();
  AddTrafficOptions(*generate, *options);
  generate->add_option("--speed", options->speed, "0: as fast as possible; 1: real time; 10: ten times that")
      ->capture_default_str();
  generate->add_flag(
      "--start-now", options->start_now,
      "begin at the present time rather than at a fixed one; with --speed 1 the packets bear the "
      "time that they are sent at");
  generate->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Generate(common, *options); }; });
}

}  // namespace flowcast::tools
