// A recording and how it is folded, as the options of flowcast-capture and flowcast-features say it.
#pragma once

#include <memory>

#include "libs/offline/offline_fold.h"
#include "services/capture/capture_config.h"
#include "services/features/features_config.h"

namespace flowcast::tools {

struct RecordingOptions {
  services::CaptureConfig capture;  // its pcap: files and folders
  services::FeaturesConfig features;
  bool home_net_given = false;

  /// Throws base::ConfigError.
  offline::OfflineOptions Fold() const;
  /// Throws base::ConfigError.
  std::unique_ptr<capture::PacketSource> Open(const base::Log& log) const;

 private:
  services::CaptureConfig Capture() const;
};

/// Adds the services' options that decide which windows a recording has; --home-net is that of both. What
/// names the files is the command's own. `options` must live until the command line is parsed.
void AddRecordingOptions(CLI::App& app, RecordingOptions& options);

}  // namespace flowcast::tools
