// flowcast: the command line.
#include "tools/flowcast/inspect_commands.h"

int main(int argc, char** argv) {
  using namespace flowcast::tools;
  const auto add_lab = [argv](CLI::App& app, Command&) { AddLabCommands(app, argv); };
  return RunCommands(
      "flowcast: forecasts the load of network links over Kafka. The services are programs of their own: "
      "flowcast-capture, flowcast-features, flowcast-trainer and flowcast-inference.",
      {AddDoctorCommand, AddTopicsCommand, AddTopicsShowCommand, AddWindowsCommand, AddAlertsCommand,
       AddRulesCommand, AddFeaturesCommand, AddPacketsCommand, AddGenerateCommand, AddModelsCommand,
       AddReportCommand, AddTraceCommand, add_lab},
      argc, argv);
}
