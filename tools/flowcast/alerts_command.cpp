// flowcast alerts: follows alerts.v1.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "libs/wire/alert_wire.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/follow.h"

namespace flowcast::tools {
namespace {

struct AlertsOptions {
  bool json = false;
  FollowOptions follow;
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

int Alerts(const app::CommonOptions& common, const AlertsOptions& options) {
  return FollowTopic(common, options.follow,
                     {.name = "alerts",
                      .topic = common.names().alerts,
                      .take = [&options](const auto& record) { Print(record, options.json); }});
}

}  // namespace

void AddAlertsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<AlertsOptions>();
  CLI::App* alerts = app.add_subcommand("alerts", "follow the alerts as they are raised and resolved");
  alerts->add_flag("--json", options->json, "the messages as they are, one a line");
  AddFollowOptions(*alerts, options->follow);
  alerts->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Alerts(common, *options); }; });
}

}  // namespace flowcast::tools
