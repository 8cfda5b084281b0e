// The commands of flowcast-lab: those that need the network. tools/flowcast/lab_command.cpp names them, too.
#pragma once

#include "tools/flowcast/commands.h"

namespace flowcast::tools {

void AddBacktestCommand(CLI::App& app, Command& chosen);
void AddEvaluateCommand(CLI::App& app, Command& chosen);
void AddTuneCommand(CLI::App& app, Command& chosen);

}  // namespace flowcast::tools
