// Reading a topic as people do: what comes from now on, or all there is, or both.
#pragma once

#include <functional>
#include <string>

#include "libs/app/app.h"

namespace flowcast::tools {

struct FollowOptions {
  bool from_beginning = false;
  bool no_follow = false;
};

/// Adds --from-beginning and --no-follow.
void AddFollowOptions(CLI::App& app, FollowOptions& options);

struct Reader {
  std::string name;   // of the command
  std::string topic;  // which it waits for
  std::function<void(const bus::InRecord&)> take;
  std::function<void()> pause = [] {};  // called when nothing more is there at the moment
};

/// Gives the committed records of all partitions, without a group, until a stop is asked for. Returns the
/// exit code. Throws bus::BusError.
int FollowTopic(const app::CommonOptions& common, const FollowOptions& options, const Reader& reader);

}  // namespace flowcast::tools
