// flowcast-lab: the commands of flowcast that need the network; flowcast starts it.
#include "tools/flowcast_lab/commands.h"

int main(int argc, char** argv) {
  using namespace flowcast::tools;
  return RunCommands("The commands of flowcast that need the network.",
                     {AddBacktestCommand, AddEvaluateCommand, AddTuneCommand}, argc, argv);
}
