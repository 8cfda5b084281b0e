// flowcast: the command line.
#include <CLI/CLI.hpp>

#include "tools/flowcast/commands.h"

int main(int argc, char** argv) {
  using namespace flowcast;
  CLI::App app(
      "flowcast: forecasts the load of network links over Kafka. The services are programs of their own: "
      "flowcast-capture, "
      "flowcast-features, flowcast-trainer and flowcast-inference.");
  app::CommonOptions common;
  tools::Command chosen;
  app.require_subcommand(1);
  tools::AddTopicsCommand(app, chosen);
  tools::AddAlertsCommand(app, chosen);
  tools::AddEvaluateCommand(app, chosen);
  tools::AddGenerateCommand(app, chosen);
  tools::AddPacketsCommand(app, chosen);
  tools::AddReportCommand(app, chosen);
  app::AddCommonOptions(app, common);
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    for (CLI::App* nested : command->get_subcommands({})) nested->fallthrough();
  }
  return app::RunMain(app, argc, argv, [&] {
    if (!common.check) return chosen(common);
    app::ConnectBus(common, "flowcast-check", app::MakeLog("flowcast", common));
    return static_cast<int>(app::kOk);
  });
}
