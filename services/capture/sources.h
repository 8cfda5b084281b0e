// The sources that the capture's options name, and what the program prints; used by main only.
#pragma once

#include <functional>
#include <memory>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/bus/bus.h"
#include "libs/spool/journal.h"
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

/// Of a live capture, to be opened before DropPrivileges; null for recordings, with --spool-mib 0, and
/// with --check, which only looks whether it could be opened. Throws base::ConfigError.
std::unique_ptr<spool::Journal> OpenSpool(const CaptureConfig& config, const base::Log& log);

/// Recordings wait for Kafka, a live capture goes on into the spool. `spool` may be null.
std::unique_ptr<delivery::Delivery> MakeDelivery(const CaptureConfig& config, bus::Producer& producer,
                                                 spool::Journal* spool, base::Clock& clock,
                                                 const base::Log& log, std::function<bool()> stop_requested);

/// With the partitions that the topic has. Epochs of a live capture are remembered in the folder of its
/// spool.
CaptureOptions MakeCaptureOptions(const CaptureConfig& config, bus::Admin& admin, const base::Clock& clock,
                                  const base::Log& log, const capture::AddressMapping& mapping);

/// A table on standard output.
int PrintInterfaces();

/// The identity of the counts and, where there is one, the complaint. Exit code 1 for a source that failed.
int PrintSummary(const CaptureConfig& config, const CaptureSummary& summary, const base::Log& log);

}  // namespace flowcast::services
