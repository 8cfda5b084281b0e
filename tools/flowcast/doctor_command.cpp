// flowcast doctor: why do I see nothing?
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "libs/diagnosis/diagnosis.h"
#include "tools/flowcast/doctor/observer.h"
#include "tools/flowcast/inspect_commands.h"

namespace flowcast::tools {
namespace {

using diagnosis::Finding;
using diagnosis::Verdict;

/// Failed is what one looks for.
std::string WordOf(Verdict verdict) {
  if (verdict == Verdict::kFailed) return "FAILED";
  if (verdict == Verdict::kUnknown) return "-";
  return std::string(ToString(verdict));
}

void PrintText(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    std::printf("%-8s %-10s %s\n", WordOf(finding.verdict).c_str(), finding.check.c_str(),
                finding.text.c_str());
    if (!finding.remedy.empty()) std::printf("%-19s -> %s\n", "", finding.remedy.c_str());
  }
  std::printf("%s\n", Conclusion(findings).c_str());
}

void PrintJson(const std::vector<Finding>& findings) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json one{{"check", finding.check}, {"verdict", ToString(finding.verdict)}, {"text", finding.text}};
    if (!finding.remedy.empty()) one["remedy"] = finding.remedy;
    list.push_back(std::move(one));
  }
  const Json all{
      {"well", IsWell(findings)}, {"conclusion", Conclusion(findings)}, {"checks", std::move(list)}};
  std::printf("%s\n", all.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

int Doctor(const app::CommonOptions& common, const DoctorOptions& options) {
  base::SystemClock clock;
  const std::vector<Finding> findings = diagnosis::Diagnose(Observe(common, options, clock));
  options.json ? PrintJson(findings) : PrintText(findings);
  return IsWell(findings) ? app::kOk : app::kFailed;
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* doctor = app.add_subcommand(
      "doctor",
      "why do I see nothing? Looks at broker, topics, packets, model, forecasts, lag and clocks; writes "
      "nothing, takes seconds, exits 1 when something failed");
  doctor->add_flag("--json", options->json, "one JSON object");
  doctor->add_option("--watch", options->watch, "how long to watch what comes; 1m at most")
      ->capture_default_str();
  doctor->add_option("--model", options->model, "name of the model")->capture_default_str();
  doctor->add_option("--status", options->status,
                     "ADDRESS:PORT of a service's status page; may be repeated; by default those of the five "
                     "services on this host");
  doctor->add_option("--features-group", options->features_group, "consumer group of the features")
      ->capture_default_str();
  doctor->add_option("--inference-group", options->inference_group, "consumer group of the inference")
      ->capture_default_str();
  doctor->add_option("--notifier-group", options->notifier_group, "consumer group of the notifier")
      ->capture_default_str();
  doctor->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Doctor(common, *options); }; });
}

}  // namespace flowcast::tools
