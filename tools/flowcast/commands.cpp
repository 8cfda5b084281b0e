// What the command lines have in common.
#include "tools/flowcast/commands.h"

#include <CLI/CLI.hpp>

namespace flowcast::tools {
namespace {

/// A configuration file whose keys without a section are the command's where the common options have none of
/// that name: the same file serves a service and a command.
class CommandConfig : public CLI::ConfigTOML {
 public:
  explicit CommandConfig(const CLI::App& app) : app_(app) {}
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> read = CLI::ConfigTOML::from_config(input);
    for (CLI::ConfigItem& item : read) {
      const bool common = app_.get_option_no_throw("--" + item.name) != nullptr;
      for (const CLI::App* command : app_.get_subcommands()) {
        if (item.parents.empty() && !common) item.parents = {command->get_name()};
      }
    }
    return read;
  }

 private:
  const CLI::App& app_;
};

}  // namespace

int RunCommands(const std::string& description, const std::vector<AddCommand>& commands, int argc,
                char** argv) {
  CLI::App app(description, "flowcast");
  app::CommonOptions common;
  Command chosen;
  app.require_subcommand(1);
  for (const AddCommand& add : commands) add(app, chosen);
  app::AddCommonOptions(app, common);
  app.config_formatter(std::make_shared<CommandConfig>(app));
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
