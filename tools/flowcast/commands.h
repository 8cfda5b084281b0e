// The commands of `flowcast`; each adds its options to its subcommand and runs when that was chosen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/app/app.h"

namespace flowcast::tools {

/// Set by the subcommand that was chosen; it runs with the common options parsed.
using Command = std::function<int(const app::CommonOptions&)>;
using AddCommand = std::function<void(CLI::App&, Command&)>;

/// A command line of these commands and the common options. Returns the exit code.
int RunCommands(const std::string& description, const std::vector<AddCommand>& commands, int argc,
                char** argv);

void AddTopicsCommand(CLI::App& app, Command& chosen);
void AddAlertsCommand(CLI::App& app, Command& chosen);
void AddFeaturesCommand(CLI::App& app, Command& chosen);
void AddGenerateCommand(CLI::App& app, Command& chosen);
void AddModelsCommand(CLI::App& app, Command& chosen);
void AddPacketsCommand(CLI::App& app, Command& chosen);
void AddReportCommand(CLI::App& app, Command& chosen);
void AddRulesCommand(CLI::App& app, Command& chosen);
void AddWindowsCommand(CLI::App& app, Command& chosen);

/// The commands of flowcast-lab, a program of its own because the network's library takes long to load: each
/// is in the help, and runs by replacing this program with the one that stands beside it. Throws
/// base::ConfigError when that is missing. `argv` as main got it.
void AddLabCommands(CLI::App& app, char** argv);

}  // namespace flowcast::tools
