// flowcast alerts: follows alerts.v1.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "libs/base/pattern.h"
#include "libs/base/printable.h"
#include "libs/wire/alert_wire.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/follow.h"

namespace flowcast::tools {
namespace {

struct AlertsOptions {
  bool json = false;
  std::vector<std::string> links;  // patterns
  std::vector<std::string> rules;  // patterns
  std::vector<std::string> states;
  FollowOptions follow;

  bool Wants(const alert::Alert& alert) const {
    const auto matches = [](const std::vector<std::string>& patterns, std::string_view text) {
      return patterns.empty() ||
             std::any_of(patterns.begin(), patterns.end(),
                         [text](const std::string& pattern) { return base::MatchesPattern(pattern, text); });
    };
    return matches(links, alert.link) && matches(rules, alert.rule) && matches(states, ToString(alert.state));
  }
};

/// Firing is what one looks for.
const char* WordOf(alert::State state) {
  switch (state) {
    case alert::State::kPending:
      return "pending";
    case alert::State::kFiring:
      return "FIRING";
    case alert::State::kResolved:
      return "resolved";
  }
  return "";
}

std::string OneLine(std::string json) {
  std::replace(json.begin(), json.end(), '\n', ' ');
  return json;
}

void Print(const bus::InRecord& record, const AlertsOptions& options) {
  const auto alert = wire::DecodeAlertJson(record.value);
  if (!alert) {
    std::fprintf(stderr, "skipped a record at offset %lld: %s\n", static_cast<long long>(record.offset),
                 std::string(ToString(alert.error())).c_str());
    return;
  }
  if (!options.Wants(*alert)) return;
  if (options.json) {
    std::printf("%s\n", OneLine(base::PrintableJson(record.value)).c_str());
  } else {
    std::printf("%s  %-8s  %-8s  %s: %s%s\n", base::FormatTime(alert->made_at).c_str(), WordOf(alert->state),
                base::Printable(alert->severity).c_str(), base::Printable(alert->rule).c_str(),
                base::Printable(alert->summary).c_str(), alert->silenced ? " (silenced)" : "");
  }
  app::FlushOutput();
}

int Alerts(const app::CommonOptions& common, const AlertsOptions& options) {
  return FollowTopic(common, options.follow,
                     {.name = "alerts",
                      .topic = common.names().alerts,
                      .take = [&options](const auto& record) { Print(record, options); }});
}

}  // namespace

void AddAlertsCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<AlertsOptions>();
  CLI::App* alerts = app.add_subcommand("alerts", "follow the alerts as they are raised and resolved");
  alerts->add_flag("--json", options->json, "the messages as they are, one a line");
  alerts->add_option("--link", options->links,
                     "only of links that match this pattern, such as 'demo/*'; may be repeated");
  alerts->add_option("--rule", options->rules, "only of rules that match this pattern; may be repeated");
  alerts->add_option("--state", options->states, "only pending, firing or resolved; may be repeated")
      ->check(CLI::IsMember({"pending", "firing", "resolved"}));
  AddFollowOptions(*alerts, options->follow);
  alerts->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Alerts(common, *options); }; });
}

}  // namespace flowcast::tools
