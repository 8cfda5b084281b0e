// flowcast-features: packets.v1 into windows.v1 and sequences.v1.
#include <CLI/CLI.hpp>

#include "libs/app/slices.h"
#include "services/features/features_config.h"
#include "services/features/features_service.h"
#include "services/features/progress_report.h"

namespace {

using namespace flowcast;

int MakeFeatures(const services::FeaturesConfig& config) {
  base::SystemClock clock;
  const base::Log log = app::MakeLog("features", config.common);
  const topics::Names names = config.common.names();
  services::FeaturesTask task(config.FoldOptions(), names, log);
  app::Status status(config.common, "features", clock, log);
  services::FeaturesReport report(task, clock, log, status.publisher());
  return app::RunSlices({.common = config.common,
                         .status = status,
                         .client_id = "flowcast-features",
                         .group = config.group,
                         .instance = config.instance,
                         .input = names.packets,
                         .needs = {names.packets, names.windows, names.sequences},
                         .exit_when_idle = config.exit_when_idle},
                        task, clock, log, [&report](const auto& counters) { report.Write(counters); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Turns packets on Kafka into windows of features and normalized sequences.");
  services::FeaturesConfig config;
  services::AddFeaturesOptions(app, config);
  return app::RunMain(app, argc, argv, [&config] { return MakeFeatures(config); });
}
