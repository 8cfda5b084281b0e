// flowcast alerts: follows alerts.v1.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "libs/bus/read_to_end.h"
#include "libs/wire/alert_wire.h"
#include "tools/flowcast/commands.h"

namespace flowcast::tools {
namespace {

struct AlertsOptions {
  bool json = false;
  bool from_beginning = false;
  bool no_follow = false;
};

void Print(const bus::InRecord& record, bool json) {
  const auto alert = wire::DecodeAlertJson(record.value);
  if (!alert) {
    std::fprintf(stderr, "skipped a record at offset %lld: %s\n", static_cast<long long>(record.offset),
                 std::string(ToString(alert.error())).c_str());
    return;
  }
  if (json) {
    std::printf("%s\n", record.value.c_str());
  } else {
    const bool firing = alert->state == alert::State::kFiring;
    std::printf("%s  %-8s  %s\n", base::FormatTime(firing ? alert->started_at : alert->resolved_at).c_str(),
                firing ? "FIRING" : "resolved", alert->summary.c_str());
  }
  app::FlushOutput();
}

int Follow(const app::CommonOptions& common, const AlertsOptions& options) {
  const base::Log log = app::MakeLog("alerts", common);
  base::SystemClock clock;
  const auto bus = app::ConnectBus(common, "flowcast-alerts", log);
  const std::string topic = common.names().alerts;
  if (!app::WaitForTopics(*bus, {topic}, common, clock, log)) return app::kOk;
  const auto consumer = bus->MakeConsumer({});
  const auto print = [&options](const bus::InRecord& record) { Print(record, options.json); };
  auto positions = bus::FromStart(topic, bus->MakeAdmin()->PartitionCount(topic));
  if (options.no_follow) {
    bus::ReadToEnd(*consumer, positions, print, app::StopRequested);
    return app::kOk;
  }
  if (!options.from_beginning) {
    for (bus::Position& position : positions) position.offset = consumer->EndOffset(position.at);
  }
  consumer->Assign(positions);
  while (!app::StopRequested()) {
    for (const bus::InRecord& record : consumer->Poll(std::chrono::milliseconds(200), 100)) print(record);
  }
  return app::kOk;
}

}  // namespace

void AddAlertsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<AlertsOptions>();
  CLI::App* alerts = app.add_subcommand("alerts", "follow the alerts as they are raised and resolved");
  alerts->add_flag("--json", options->json, "the messages as they are, one a line");
  alerts->add_flag("--from-beginning", options->from_beginning, "those that are there already first");
  alerts->add_flag("--no-follow", options->no_follow, "print what is there and end");
  alerts->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Follow(common, *options); }; });
}

}  // namespace flowcast::tools
