// flowcast: the command line.
#include "tools/flowcast/commands.h"

int main(int argc, char** argv) {
  using namespace flowcast::tools;
  const auto add_lab = [argv](CLI::App& app, Command&) { AddLabCommands(app, argv); };
  return RunCommands(
      "flowcast: forecasts the load of network links over Kafka. The services are programs of their own: "
      "flowcast-capture, flowcast-features, flowcast-trainer and flowcast-inference.",
      {AddTopicsCommand, AddWindowsCommand, AddAlertsCommand, AddRulesCommand, AddFeaturesCommand,
       AddPacketsCommand, AddGenerateCommand, AddModelsCommand, AddReportCommand, add_lab},
      argc, argv);
}
