// flowcast features: the windows of capture files, without Kafka.
#include <CLI/CLI.hpp>
#include <memory>

#include "libs/base/text.h"
#include "tools/flowcast/commands.h"
#include "tools/flowcast/recording_options.h"
#include "tools/flowcast/window_printer.h"

namespace flowcast::tools {
namespace {

struct FeaturesOptions {
  RecordingOptions recording;
  WindowFormat format;
};

/// What a user should know of the recording.
int Report(const capture::PacketSource& source, const offline::OfflineFold& fold, const base::Log& log) {
  if (fold.counters().packets_in == 0)
    log(base::LogLevel::kWarning, "no packet came; is it the right file or filter?");
  if (fold.counters().late_packets > 0) {
    log(base::LogLevel::kWarning,
        base::Grouped(fold.counters().late_packets) +
            " packets came too late for their windows; raise --reorder-tolerance or "
            "--lateness if they should count");
  }
  if (const std::string complaint = source.Complaint(); !complaint.empty())
    log(base::LogLevel::kWarning, complaint);
  return source.Failed() ? app::kFailed : app::kOk;
}

int Features(const app::CommonOptions& common, const FeaturesOptions& options) {
  if (options.recording.features.explain) return services::Explain(options.recording.features);
  const base::Log log = app::MakeLog("features", common);
  const auto source = options.recording.Open(log);
  const offline::OfflineOptions fold_options = options.recording.Fold();
  offline::OfflineFold fold(*source, fold_options);
  WindowPrinter printer(options.format, "");
  printer.Use(*fold_options.fold.schema);
  std::vector<window::ClosedWindow> closed;
  for (bool more = true; more && !app::StopRequested();) {
    closed.clear();
    more = fold.Step(closed);
    for (const window::ClosedWindow& one : closed) printer.Print(one.window);
  }
  printer.Flush();
  return Report(*source, fold, log);
}

}  // namespace

void AddFeaturesCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<FeaturesOptions>();
  CLI::App* features = app.add_subcommand(
      "features", "print the windows of capture files, as the services would publish them");
  features
      ->add_option(
          "files", options->recording.capture.pcap,
          "pcap or pcapng, also in gzip or zstd, or folders of them; - is standard input; several are "
          "one recording")
      ->type_name("FILE");
  AddFormatOptions(*features, options->format);
  AddRecordingOptions(*features, options->recording);
  features->callback(
      [&chosen, options] { chosen = [options](const auto& common) { return Features(common, *options); }; });
}

}  // namespace flowcast::tools
