// flowcast rules: checks a file of alert rules, and tries it on a capture or on windows.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "libs/alert/rehearsal.h"
#include "libs/base/error.h"
#include "libs/base/printable.h"
#include "libs/base/text.h"
#include "libs/rules_file/rules_file.h"
#include "libs/wire/alert_wire.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/recording_options.h"

namespace flowcast::tools {
namespace {

using Json = nlohmann::ordered_json;

struct RulesOptions {
  std::string file;
  std::vector<std::string> capacity;
  std::string windows;  // a file of JSON lines
  RecordingOptions recording;
  std::vector<int> horizons{1, 2, 3, 6, 12};
  bool json = false;

  alert::RuleSet Rules() const {
    alert::Rulebook book = rules_file::Read(file);
    for (const std::string& text : capacity) alert::AddCapacity(text, book.capacities);
    return {std::move(book.rules), std::move(book.capacities)};
  }
};

int Check(const RulesOptions& options) {
  const alert::RuleSet rules = options.Rules();
  for (const alert::Rule& rule : rules.rules()) std::printf("%s\n", rule.Text().c_str());
  return app::kOk;
}

/// What of a rule a rehearsal cannot know.
void Warn(const alert::RuleSet& rules, const base::Log& log) {
  for (const alert::Rule& rule : rules.rules()) {
    if (rule.threshold.kind == alert::Threshold::Kind::kPercentile)
      log(base::LogLevel::kWarning, "rule '" + rule.name + "': " + rule.threshold.Text() +
                                        " is a percentile of what a model learned from; here is none, it "
                                        "raises nothing");
    if (rule.threshold.kind == alert::Threshold::Kind::kShareOfCapacity && rules.capacities().empty())
      log(base::LogLevel::kWarning, "rule '" + rule.name + "': " + rule.threshold.Text() +
                                        " is of the capacity, and none is known; write [capacities] or give "
                                        "--capacity");
  }
}

void ReadCapture(const RulesOptions& options, const base::Log& log, alert::Rehearsal& rehearsal) {
  const auto source = options.recording.Open(log);
  const offline::OfflineOptions fold_options = options.recording.Fold();
  const std::vector<feature::Column>& columns = fold_options.fold.schema->columns();
  offline::OfflineFold fold(*source, fold_options);
  std::vector<window::ClosedWindow> closed;
  for (bool more = true; more && !app::StopRequested();) {
    closed.clear();
    more = fold.Step(closed);
    for (const auto& [window, sequence] : closed) {
      if (window.partial) continue;
      alert::Sample sample{.link = window.link, .start = window.start, .length = window.length};
      for (std::size_t i = 0; i < columns.size(); ++i) sample.values[columns[i].name] = window.features[i];
      rehearsal.Add(sample);
    }
  }
  if (source->Failed()) throw base::RuntimeError(source->Complaint());
}

/// A line of `flowcast windows --json`; nothing for an incomplete window. Throws what nlohmann throws.
std::optional<alert::Sample> SampleOf(const std::string& line) {
  const Json json = Json::parse(line);
  if (json.at("partial").get<bool>()) return std::nullopt;
  return alert::Sample{.link = json.at("link").get<std::string>(),
                       .start = base::FromUnixNanoseconds(json.at("start_ns").get<std::int64_t>()),
                       .length = base::Duration(json.at("window_ns").get<std::int64_t>()),
                       .values = json.at("features").get<std::map<std::string, double>>()};
}

void ReadWindows(const RulesOptions& options, alert::Rehearsal& rehearsal) {
  std::ifstream file;
  if (options.windows != "-") file.open(options.windows);
  std::istream& input = options.windows == "-" ? std::cin : file;
  if (!input)
    throw base::ConfigError("cannot read " + options.windows + "; name what flowcast windows --json printed");
  std::size_t number = 0;
  for (std::string line; std::getline(input, line);) {
    ++number;
    try {
      const auto sample = SampleOf(line);
      if (sample && sample->length.count() > 0) rehearsal.Add(*sample);
    } catch (const Json::exception&) {
      throw base::ConfigError(options.windows + ":" + std::to_string(number) +
                              ": is no window; give the lines that flowcast windows --json prints");
    }
  }
}

Json TimeOr(const std::optional<base::EventTime>& time) {
  return time ? Json(base::FormatTime(*time)) : Json(nullptr);
}

void PrintJson(const alert::Rehearsal& rehearsal) {
  for (const alert::Episode& episode : rehearsal.episodes()) {
    Json json{{"rule", episode.fired.rule},
              {"link", episode.fired.link},
              {"fired_at", base::FormatTime(*episode.fired.fired_at)},
              {"resolved_at", TimeOr(episode.resolved_at)},
              {"passed", nullptr},
              {"passed_at", TimeOr(episode.passed_at)},
              {"lead_s", nullptr}};
    if (episode.fired.kind == alert::Kind::kLoad) {
      const auto lead = episode.LeadSeconds();
      json["passed"] = lead.has_value();
      if (lead) json["lead_s"] = *lead;
    }
    json["alert"] = Json::parse(wire::EncodeJson(episode.fired));
    std::printf("%s\n", base::PrintableJson(json.dump()).c_str());
  }
}

std::string Outcome(const alert::Episode& episode) {
  if (episode.fired.kind != alert::Kind::kLoad) return "";
  if (episode.was_above) return "; it was above already";
  if (!episode.passed_at) return "; it never was";
  char lead[48];
  std::snprintf(lead, sizeof lead, "%.3g", *episode.LeadSeconds());
  return "; it was in the window from " + base::FormatTime(*episode.passed_at) + ", " + lead + " s later";
}

void PrintRule(const alert::Rule& rule, const alert::Rehearsal& rehearsal) {
  std::vector<double> leads;
  std::size_t fired = 0, ahead = 0;
  for (const alert::Episode& episode : rehearsal.episodes()) {
    if (episode.fired.rule != rule.name) continue;
    ++fired;
    const auto lead = episode.LeadSeconds();
    if (lead) leads.push_back(*lead);
    ahead += lead && *lead > 0 ? 1 : 0;
  }
  std::string text = rule.name + ": fired " + base::Grouped(fired) + " times";
  if (rule.kind == alert::Kind::kLoad && fired > 0) {
    text += ", " + base::Grouped(leads.size()) + " with a load above the threshold, " + base::Grouped(ahead) +
            " of them ahead of it";
    std::sort(leads.begin(), leads.end());
    char median[48];
    if (!leads.empty()) {
      std::snprintf(median, sizeof median, "; median lead %.3g s", leads[leads.size() / 2]);
      text += median;
    }
  }
  std::printf("%s\n", text.c_str());
}

void PrintTable(const alert::Rehearsal& rehearsal) {
  for (const alert::Episode& episode : rehearsal.episodes()) {
    const std::string until = episode.resolved_at ? base::FormatTime(*episode.resolved_at) : "the end";
    std::printf("%s until %s  %s  %s  %s%s\n", base::FormatTime(*episode.fired.fired_at).c_str(),
                until.c_str(), episode.fired.severity.c_str(), episode.fired.rule.c_str(),
                base::Printable(episode.fired.summary).c_str(), Outcome(episode).c_str());
  }
  for (const alert::Rule& rule : rehearsal.rules().rules()) PrintRule(rule, rehearsal);
}

int Test(const app::CommonOptions& common, const RulesOptions& options) {
  if (options.windows.empty() == options.recording.capture.pcap.empty())
    throw base::ConfigError("give --pcap FILE or --windows FILE");
  const base::Log log = app::MakeLog("rules", common);
  alert::Rehearsal rehearsal(options.Rules(), {.horizons = options.horizons});
  Warn(rehearsal.rules(), log);
  if (options.windows.empty()) {
    ReadCapture(options, log, rehearsal);
  } else {
    ReadWindows(options, rehearsal);
  }
  if (rehearsal.forecasts() == 0)
    log(base::LogLevel::kWarning,
        "there was nothing to forecast: a link needs 16 whole windows in a row; try a shorter --window");
  options.json ? PrintJson(rehearsal) : PrintTable(rehearsal);
  return app::kOk;
}

CLI::App* AddFileCommand(CLI::App& rules, const std::string& name, const std::string& what,
                         RulesOptions& options) {
  CLI::App* command = rules.add_subcommand(name, what);
  command->add_option("file", options.file, "TOML, see docs/alerts.md")->type_name("FILE")->required();
  command->add_option("--capacity", options.capacity,
                      "as of flowcast-inference: 1G, or LINK=1G, or a pattern of links; may be repeated");
  return command;
}

}  // namespace

void AddRulesCommand(CLI::App& app, Command& chosen) {
  CLI::App* rules = app.add_subcommand("rules", "check alert rules, and try them out");
  rules->require_subcommand(1);
  const auto options = std::make_shared<RulesOptions>();
  CLI::App* check = AddFileCommand(*rules, "check", "print the rules of a file, or what is wrong", *options);
  check->callback([&chosen, options] { chosen = [options](const auto&) { return Check(*options); }; });
  CLI::App* test = AddFileCommand(
      *rules, "test", "what the rules would have raised on a capture or on windows, and whether it came",
      *options);
  test->add_option("--pcap", options->recording.capture.pcap,
                   "capture files or folders, as of flowcast features")
      ->type_name("FILE");
  test->add_option("--windows", options->windows,
                   "what flowcast windows --json or flowcast features --json printed; - is standard input")
      ->type_name("FILE");
  test->add_option("--horizons,--horizon", options->horizons, "windows ahead, ascending")
      ->delimiter(',')
      ->capture_default_str();
  test->add_flag("--json", options->json, "one object an alert that fired");
  AddRecordingOptions(*test, options->recording);
  test->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Test(common, *options); }; });
}

}  // namespace flowcast::tools
