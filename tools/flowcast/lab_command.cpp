// Commands that are run by another program, as git runs its own.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "libs/base/error.h"
#include "tools/flowcast/commands.h"

namespace flowcast::tools {
namespace {

/// Only returns by an exception.
void RunLab(char** argv) {
  const auto lab = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "flowcast-lab";
  execv(lab.c_str(), argv);
  throw base::ConfigError("this command is run by " + lab.string() + ", which can't be started (" +
                          std::strerror(errno) + "); install flowcast-lab beside flowcast");
}

}  // namespace

void AddLabCommands(CLI::App& app, char** argv) {
  for (CLI::App* command :
       {app.add_subcommand("backtest", "forecast a recorded series step by step, and score it"),
        app.add_subcommand("evaluate", "score the published model on the sequences on Kafka"),
        app.add_subcommand("tune", "search the network's settings on recorded series")}) {
    // Before its own options are looked at, --help among them.
    command->preparse_callback([argv](std::size_t) { RunLab(argv); });
  }
}

}  // namespace flowcast::tools
