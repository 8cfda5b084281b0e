// Capture files as one source of packets; used by main only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/capture/file_source.h"
#include "libs/capture/packet_source.h"

namespace flowcast::services {

/// The files that `paths` name, folders replaced by the capture files in them (not below them), read
/// in order of time. Throws base::ConfigError for a path that is missing or no capture, and for a
/// folder without any; what is no capture in a folder is left out with a warning.
std::unique_ptr<capture::PacketSource> OpenRecordings(const std::vector<std::string>& paths,
                                                      const capture::FrameFilterFactory& filters,
                                                      const base::Log& log);

}  // namespace flowcast::services
