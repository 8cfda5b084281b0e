// What the command lines have in common.
#include "tools/flowcast/commands.h"

#include <CLI/CLI.hpp>

namespace flowcast::tools {

int RunCommands(const std::string& description, const std::vector<AddCommand>& commands, int argc,
                char** argv) {
  CLI::App app(description, "flowcast");
  app::CommonOptions common;
  Command chosen;
  app.require_subcommand(1);
  for (const AddCommand& add : commands) add(app, chosen);
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

}  // namespace flowcast::tools
