// The commands that look at what runs; each as commands.h says.
#pragma once

#include "tools/flowcast/commands.h"

namespace flowcast::tools {

void AddDoctorCommand(CLI::App& app, Command& chosen);
/// `topics show`; after AddTopicsCommand.
void AddTopicsShowCommand(CLI::App& app, Command& chosen);
void AddTraceCommand(CLI::App& app, Command& chosen);

}  // namespace flowcast::tools
