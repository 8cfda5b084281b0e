// Runs a task of slices as a program: waits for its topics, joins its group, ends on a signal.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/app/status.h"
#include "libs/slice/slice_loop.h"

namespace flowcast::app {

struct SliceProgram {
  const CommonOptions& common;
  Status& status;
  std::string client_id;
  std::string group;
  std::string instance;                   // stable over restarts, different within the group
  std::string input;                      // topic
  std::vector<std::string> needs;         // topics that must exist
  std::string exit_when_idle;             // a duration: end once nothing came for so long; empty: never
  std::function<void()> between = [] {};  // called between two turns of the loop, never within a transaction
  std::function<void(bus::Bus&)> connected = [](bus::Bus&) {};  // called once the topics are there
};

/// Returns the exit code; `every_second` is called at the beginning, then about so often, and at the
/// end, with the loop's counters. It is to publish the metrics: that is the heartbeat. Starts the
/// status page and says when the program is ready. With --check it only builds everything. Throws
/// bus::BusError.
int RunSlices(const SliceProgram& program, slice::Task& task, base::Clock& clock, const base::Log& log,
              const std::function<void(const slice::SliceCounters&)>& every_second);

}  // namespace flowcast::app
