// Which offsets to begin and to end at.
#include "tools/flowcast/follow.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "libs/bus/read_to_end.h"

namespace flowcast::tools {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::size_t kPollRecords = 1000;

}  // namespace

void AddFollowOptions(CLI::App& app, FollowOptions& options) {
  app.add_flag("--from-beginning", options.from_beginning, "those that are there already first");
  app.add_flag("--no-follow", options.no_follow, "print what is there and end");
}

int FollowTopic(const app::CommonOptions& common, const FollowOptions& options, const Reader& reader) {
  const base::Log log = app::MakeLog(reader.name, common);
  base::SystemClock clock;
  const auto bus = app::ConnectBus(common, "flowcast-" + reader.name, log);
  if (!app::WaitForTopics(*bus, {reader.topic}, common, clock, log)) return app::kOk;
  const auto consumer = bus->MakeConsumer({});
  auto positions = bus::FromStart(reader.topic, bus->MakeAdmin()->PartitionCount(reader.topic));
  if (options.no_follow) {
    bus::ReadToEnd(*consumer, positions, reader.take, app::StopRequested);
    reader.pause();
    return app::kOk;
  }
  if (!options.from_beginning) {
    for (bus::Position& position : positions) position.offset = consumer->EndOffset(position.at);
  }
  consumer->Assign(positions);
  while (!app::StopRequested()) {
    for (const bus::InRecord& record : consumer->Poll(kPoll, kPollRecords)) reader.take(record);
    reader.pause();
  }
  return app::kOk;
}

}  // namespace flowcast::tools
