// flowcast-features: packets.v1 into windows.v1 and sequences.v1.
#include <CLI/CLI.hpp>
#include <optional>

#include "libs/app/slices.h"
#include "services/features/features_config.h"
#include "services/features/features_service.h"
#include "services/features/progress_report.h"

namespace {

using namespace flowcast;

int MakeFeatures(const services::FeaturesConfig& config) {
  if (config.explain) return Explain(config);
  base::SystemClock clock;
  const base::Log log = app::MakeLog("features", config.common);
  const topics::Names names = config.common.names();
  const services::FeaturesOptions options = config.Options();
  services::FeaturesTask task(options, names, clock, log);
  std::optional<state::StateReader> reader;
  std::optional<services::PartitionStore> store;
  const auto connect = [&](bus::Bus& bus) {
    reader.emplace(state::StateReader::Parts{bus, clock, names.state, services::kFeaturesState,
                                             [] { return app::StopRequested(); }});
    store.emplace(*reader, options.fold, names, log);
    task.Connect(*store);
  };
  app::Status status(config.common, "features", clock, log);
  services::FeaturesReport report(task, clock, log, status.publisher());
  return app::RunSlices({.common = config.common,
                         .status = status,
                         .client_id = "flowcast-features",
                         .group = config.group,
                         .instance = config.instance,
                         .input = names.packets,
                         .needs = config.Needs(),
                         .exit_when_idle = config.exit_when_idle,
                         .connected = connect},
                        task, clock, log, [&report](const auto& counters) { report.Write(counters); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Turns packets on Kafka into windows of features and normalized sequences.");
  services::FeaturesConfig config;
  services::AddFeaturesOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return MakeFeatures(config); });
}
