// The commands of `flowcast`; each adds its options to its subcommand and runs when that was chosen.
#pragma once

#include <functional>

#include "libs/app/app.h"

namespace flowcast::tools {

/// Set by the subcommand that was chosen; main runs it with the common options parsed.
using Command = std::function<int(const app::CommonOptions&)>;

void AddTopicsCommand(CLI::App& app, Command& chosen);
void AddAlertsCommand(CLI::App& app, Command& chosen);
void AddEvaluateCommand(CLI::App& app, Command& chosen);
void AddGenerateCommand(CLI::App& app, Command& chosen);
void AddPacketsCommand(CLI::App& app, Command& chosen);
void AddReportCommand(CLI::App& app, Command& chosen);

}  // namespace flowcast::tools
