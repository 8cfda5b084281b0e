// What a restart is told of the fold that stopped.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libs/base/time.h"
#include "libs/window/link_history.h"

namespace flowcast::window {

/// How far a source's stream has come; what is needed to recognise repeats after a restart.
struct SourceProgress {
  std::uint64_t epoch = 0;
  std::uint64_t content = 0;                         // what the epoch consists of
  std::uint64_t next_sequence = 0;                   // number of the packet that comes next
  base::EventTime started = base::kBeginningOfTime;  // of the epoch
  base::EventTime watermark = base::kBeginningOfTime;
  base::EventTime closed_to = base::kBeginningOfTime;  // windows that end here or before are closed
  bool ending = false;                                 // its last windows are being closed
  bool final = false;
  bool operator==(const SourceProgress&) const = default;
};
using Progress = std::map<std::string, SourceProgress>;  // by source

/// A source's links as a restart finds them, by name.
struct RestoredLinks {
  std::map<std::string, LinkHistory> watched;
  std::map<std::string, LinkSnapshot> former;  // that have ended
};

struct WindowName {
  std::string link;
  base::EventTime start;
  bool operator==(const WindowName&) const = default;
};

/// What is known of the windows that were closed; numbers count them as they are written out.
struct RestoredWindows {
  std::uint64_t needed = 0;  // the oldest that a snapshot may lack
  std::uint64_t next = 0;
  WindowName last{};
  std::vector<feature::Window> owed{};  // the newest, which no history has been told; nameless where unknown
};

}  // namespace flowcast::window
