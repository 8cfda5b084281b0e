// flowcast report: summary.json and forecast.html of a run.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "libs/base/error.h"
#include "libs/base/text.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/report/report_data.h"
#include "tools/page/fill_page.h"

extern const char* const kReportPage[];  // generated from report/forecast.html

namespace flowcast::tools {
namespace {

using Json = nlohmann::ordered_json;

struct ReportOptions {
  std::string out = ".";
  std::string title = "flowcast";
  std::string model = "default";
  std::string target = "packets";
  std::string threshold = "100";
  std::vector<std::string> capacity;
  double seconds = 0;
};

void Write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (!file)
    throw base::RuntimeError("cannot write " + path.string() +
                             "; name a folder that can be written with --out");
}

std::string Number(const Json& value, const char* format) {
  if (!value.is_number()) return "-";
  char text[40];
  std::snprintf(text, sizeof text, format, value.get<double>());
  return text;
}

std::string Count(const Json& value) { return base::Grouped(value.get<std::uint64_t>()); }

void PrintSummary(const Json& summary, const report::Run& run) {
  std::printf("  packets           %s\n", Count(summary["packets"]).c_str());
  std::printf("  windows           %s of %zu links\n", Count(summary["windows"]).c_str(), run.links.size());
  std::printf("  sequences         %s\n", Count(summary["sequences"]).c_str());
  if (run.model) {
    const model_store::ForecasterRecord shown = report::ShownForecaster(*run.model);
    const auto& history = shown.history;
    const auto best = std::find_if(history.begin(), history.end(),
                                   [&shown](const auto& epoch) { return epoch.number == shown.best_epoch; });
    std::printf("  model             %s, %d epochs, best %d, validation loss %.4f\n",
                run.model->version.c_str(), history.empty() ? 0 : history.back().number, shown.best_epoch,
                best == history.end() ? 0.0 : best->validation_loss);
  } else {
    std::printf("  model             none: forecasts by persistence and smoothing\n");
  }
  std::printf("  forecast error    MAE %s, persistence %s, skill %s %% over %s windows\n",
              Number(summary["mae"], "%.2f").c_str(), Number(summary["mae_persistence"], "%.2f").c_str(),
              Number(summary["skill_percent"], "%+.1f").c_str(), Count(summary["scored"]).c_str());
  std::printf("  90 %% interval     held in %s of the windows\n",
              Number(summary["coverage_90"], "%.3f").c_str());
  std::printf("  alerts            %s fired, %s resolved\n", Count(summary["alerts_fired"]).c_str(),
              Count(summary["alerts_resolved"]).c_str());
}

int Report(const app::CommonOptions& common, const ReportOptions& options) {
  base::SystemClock clock;
  const auto bus = app::ConnectBus(common, "flowcast-report", app::MakeLog("report", common));
  const auto run = report::ReadRun(*bus, common.names(), options.model, options.target);
  report::ReportFacts facts{
      .title = options.title,
      .generated_at = base::FormatTime(base::AlignDown(clock.Now(), std::chrono::seconds(1))),
      .target = options.target,
      .seconds = options.seconds,
      .threshold = alert::Threshold::Parse(options.threshold)};
  for (const std::string& text : options.capacity) alert::AddCapacity(text, facts.capacities);
  const std::filesystem::path out(options.out);
  std::filesystem::create_directories(out);
  const Json summary = report::Summary(run, facts);
  Write(out / "summary.json", summary.dump(2) + "\n");
  Write(out / "forecast.html", page::Fill(page::Join(kReportPage), report::PageData(run, facts)));
  PrintSummary(summary, run);
  return app::kOk;
}

}  // namespace

void AddReportCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<ReportOptions>();
  CLI::App* report =
      app.add_subcommand("report", "write summary.json and forecast.html of what is on the topics");
  report->add_option("--out", options->out, "folder to write to")->capture_default_str();
  report->add_option("--title", options->title, "what the page is about")->capture_default_str();
  report->add_option("--model", options->model, "name of the model")->capture_default_str();
  report->add_option("--target", options->target, "packets, bytes or another feature of the windows")
      ->capture_default_str();
  report->add_option("--threshold", options->threshold, "as flowcast-inference was given it")
      ->capture_default_str();
  report->add_option("--capacity", options->capacity, "as flowcast-inference was given it");
  report->add_option("--seconds", options->seconds, "how long the run took");
  report->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Report(common, *options); }; });
}

}  // namespace flowcast::tools
