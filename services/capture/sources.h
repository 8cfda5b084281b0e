// The sources that the capture's options name, and what the program prints; used by main only.
#pragma once

#include <memory>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "services/capture/capture_config.h"
#include "services/capture/capture_service.h"

namespace flowcast::services {

/// Recordings (paced when --speed asks for it) or live interfaces, which tell `log` when one goes away and
/// comes back. Throws base::ConfigError.
std::unique_ptr<capture::PacketSource> OpenSource(const CaptureConfig& config, base::Clock& clock,
                                                  const base::Log& log);

/// What --anonymize asks for, empty without it. Throws base::ConfigError.
capture::AddressMapping LoadMapping(const CaptureConfig& config);

/// Of a live capture whose interfaces are open: everything but CAP_NET_RAW, which a deleted and recreated
/// interface needs (with --drop-all that too). Call it before any thread starts. Throws base::ConfigError.
void DropPrivileges(const CaptureConfig& config, const base::Log& log);

/// With the partitions that the topic has.
CaptureOptions MakeCaptureOptions(const CaptureConfig& config, const std::string& topic, bus::Admin& admin,
                                  const base::Clock& clock, const capture::AddressMapping& mapping);

/// A table on standard output.
int PrintInterfaces();

/// The identity of the counts and, where there is one, the complaint. Exit code 1 for a source that failed.
int PrintSummary(const CaptureConfig& config, const CaptureSummary& summary, const base::Log& log);

}  // namespace flowcast::services
