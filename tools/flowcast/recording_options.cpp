// The two services' options as one set.
#include "tools/flowcast/recording_options.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/capture/recordings.h"
#include "libs/pcap/live_source.h"

namespace flowcast::tools {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace

services::CaptureConfig RecordingOptions::Capture() const {
  services::CaptureConfig config = capture;
  if (config.pcap.empty())
    throw base::ConfigError("no capture file is named; name one or more, or - for standard input");
  if (home_net_given) config.home_net = SplitAtCommas(features.home_net);
  config.Check();
  return config;
}

offline::OfflineOptions RecordingOptions::Fold() const {
  offline::OfflineOptions options;
  options.batches = Capture().Batches();
  options.fold = features.Options().fold;
  return options;
}

std::unique_ptr<capture::PacketSource> RecordingOptions::Open(const base::Log& log) const {
  const services::CaptureConfig config = Capture();
  return capture::OpenRecordings(config.pcap, archive::Open, pcap::FileFilters(config.filter),
                                 packet::Tunnels::Parse(config.decapsulate), log);
}

void AddRecordingOptions(CLI::App& app, RecordingOptions& options) {
  services::AddRecordingOptions(app, options.capture);
  services::AddWindowOptions(app, options.features);
  app.get_option("--home-net")->each([&options](const std::string&) { options.home_net_given = true; });
}

}  // namespace flowcast::tools
