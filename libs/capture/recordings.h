// Capture files as one source of packets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.h"
#include "libs/capfile/reader.h"
#include "libs/capture/file_source.h"
#include "libs/capture/packet_source.h"

namespace flowcast::capture {

/// Opens a path's bytes, uncompressed; throws base::ConfigError.
using BytesOpener = std::function<std::unique_ptr<capfile::ByteSource>(const std::string& path)>;

/// The files that `paths` name, folders replaced by the capture files in them (not below them), read
/// in order of time. Throws base::ConfigError for a path that is missing or no capture, and for a
/// folder without any; what is no capture in a folder is left out with a warning.
/// A single file that is a pipe may be followed: what has come is given at once.
std::unique_ptr<PacketSource> OpenRecordings(const std::vector<std::string>& paths, const BytesOpener& open,
                                             const FrameFilterFactory& filters, packet::Tunnels tunnels,
                                             const base::Log& log, bool follow = false);

}  // namespace flowcast::capture
