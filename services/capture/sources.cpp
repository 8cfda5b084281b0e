// Opens what the options name; talks to the adapters.
#include "services/capture/sources.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "libs/anonymize/prefix_preserving.h"
#include "libs/app/app.h"
#include "libs/archive/archive.h"
#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/base/text.h"
#include "libs/capture/paced_source.h"
#include "libs/capture/recordings.h"
#include "libs/capture/replay_source.h"
#include "libs/delivery/live_delivery.h"
#include "libs/delivery/waiting_delivery.h"
#include "libs/pcap/live_source.h"
#include "libs/privileges/privileges.h"
#include "services/capture/epochs.h"
#include "services/capture/spool_folder.h"

namespace flowcast::services {
namespace {

/// What a straggler is depends on the tolerance, which the reader may want to change.
std::string Disorder(const CaptureSummary& summary, const CaptureConfig& config) {
  if (summary.stragglers == 0) return "";
  return base::Grouped(summary.stragglers) + " packets came more than " +
         base::FormatDuration(config.ReorderTolerance()) +
         " after newer ones and may be late for their windows; raise --reorder-tolerance if they should "
         "count";
}

privileges::DropOptions Privileges(const CaptureConfig& config) {
  return {.keep_net_raw = !config.drop_all, .user = config.user};
}

/// Empty when Kafka has all.
std::string Unsent(const CaptureSummary& summary, const CaptureConfig& config) {
  if (summary.unsent == 0) return "";
  return config.is_live() ? " + spooled " + base::Grouped(summary.unsent) + " (sent at the next start)"
                          : " + unsent " + base::Grouped(summary.unsent) + " (send the file again)";
}

/// Empty when there was none.
std::string Losses(const packet::SourceCounters& packets) {
  if (packets.dropped() == 0) return "";
  return "; dropped by kernel " + base::Grouped(packets.dropped_by_kernel) + ", interface " +
         base::Grouped(packets.dropped_by_interface) + ", queue " + base::Grouped(packets.dropped_by_queue) +
         ", spool " + base::Grouped(packets.dropped_by_spool);
}

bool HasSpool(const CaptureConfig& config) { return config.is_live() && config.spool_mib > 0; }

std::string FolderOfSpool(const CaptureConfig& config) {
  const auto environment = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
  const std::string spool = config.spool.empty() ? DefaultSpool(environment, geteuid() == 0) : config.spool;
  return SpoolFolder(spool, config.common.names().packets, config.SourceName());
}

std::string SpeedText(const pcap::InterfaceInfo& info) {
  if (info.speed_mbit_s == 0) return "-";
  return base::Short(static_cast<double>(info.speed_mbit_s) * 1e6) + "bit/s";
}

}  // namespace

std::unique_ptr<capture::PacketSource> OpenSource(const CaptureConfig& config, base::Clock& clock,
                                                  const base::Log& log) {
  if (config.is_live()) {
    return pcap::OpenLive({.interfaces = config.interfaces,
                           .filter = config.filter,
                           .interface_filters = config.InterfaceFilters(),
                           .tunnels = packet::Tunnels::Parse(config.decapsulate),
                           .snap_length_bytes = config.snap_length_bytes,
                           .ring_bytes = config.ring_mib << 20,
                           .promiscuous = config.promiscuous,
                           .keep_reopening = !config.drop_all,
                           .log = log},
                          clock);
  }
  if (config.FollowsPipe()) app::EndWithin(std::chrono::seconds(15));  // it waits for the file's header
  const auto open = [config, log] {
    return capture::OpenRecordings(config.pcap, archive::Open, pcap::FileFilters(config.filter),
                                   packet::Tunnels::Parse(config.decapsulate), log, config.FollowsPipe());
  };
  std::unique_ptr<capture::PacketSource> source;
  if (config.loop || config.rebases()) {
    const auto rebase_to = config.rebases() ? std::optional(clock.Now()) : std::nullopt;
    source = std::make_unique<capture::ReplaySource>(
        open, capture::ReplayOptions{.loop = config.loop, .rebase_to = rebase_to});
  } else {
    source = open();
  }
  if (config.SpeedFactor() == 0) return source;
  return std::make_unique<capture::PacedSource>(std::move(source), config.SpeedFactor(), clock);
}

void DropPrivileges(const CaptureConfig& config, const base::Log& log) {
  if (!config.is_live()) return;
  const auto report = privileges::Drop(Privileges(config));
  for (const std::string& warning : report.warnings) log(base::LogLevel::kWarning, warning);
  log(base::LogLevel::kInfo, report.summary);
  if (config.drop_all)
    log(base::LogLevel::kInfo, "an interface that is deleted ends this capture (--drop-all)");
}

std::unique_ptr<spool::Journal> OpenSpool(const CaptureConfig& config, const base::Log& log) {
  if (!HasSpool(config)) return nullptr;
  const std::string folder = FolderOfSpool(config);
  const auto identity = privileges::IdentityAfter(Privileges(config));
  const spool::Owner owner{identity.uid, identity.gid};
  if (config.common.check) {
    spool::CheckFolder(folder, owner);
    return nullptr;
  }
  return std::make_unique<spool::Journal>(
      spool::JournalOptions{.folder = folder,
                            .max_bytes = std::uint64_t{config.spool_mib} << 20,
                            .sync = config.spool_sync,
                            .owner = owner},
      log);
}

std::unique_ptr<delivery::Delivery> MakeDelivery(const CaptureConfig& config, bus::Producer& producer,
                                                 spool::Journal* spool, base::Clock& clock,
                                                 const base::Log& log, std::function<bool()> stop_requested) {
  const std::string topic = config.common.names().packets;
  if (config.is_live()) {
    return std::make_unique<delivery::LiveDelivery>(
        delivery::LiveDelivery::Parts{producer, spool, clock, log}, topic);
  }
  return std::make_unique<delivery::WaitingDelivery>(
      delivery::WaitingDelivery::Parts{producer, clock, log, std::move(stop_requested)}, topic);
}

capture::AddressMapping LoadMapping(const CaptureConfig& config) {
  if (config.anonymize_key.empty()) return {};
  const auto mapping =
      std::make_shared<anonymize::PrefixPreserving>(anonymize::LoadKey(config.anonymize_key));
  return [mapping](const base::IpAddress& address) { return mapping->Map(address); };
}

namespace {

/// Another key makes other packets, too.
std::uint64_t Settings(const CaptureConfig& config, const capture::AddressMapping& mapping) {
  if (!mapping) return config.Settings();
  const base::IpAddress sample = base::ParseIpAddress("192.0.2.1");
  return base::Fnv1a64(base::FormatIpAddress(mapping(sample)), config.Settings());
}

}  // namespace

CaptureOptions MakeCaptureOptions(const CaptureConfig& config, bus::Admin& admin, const base::Clock& clock,
                                  const base::Log& log, const capture::AddressMapping& mapping) {
  const std::string epoch_file = HasSpool(config) ? FolderOfSpool(config) + "/epoch" : "";
  const auto epochs = std::make_shared<Epochs>(epoch_file, clock, log);
  capture::BatcherOptions batches = config.Batches();
  batches.epoch = config.is_live() ? epochs->Next() : 0;
  batches.settings = Settings(config, mapping);
  batches.partitions = admin.PartitionCount(config.common.names().packets);
  batches.anonymize = mapping;
  return {.batches = std::move(batches),
          .live = config.is_live(),
          .paced = config.is_live() || config.SpeedFactor() != 0 || config.FollowsPipe(),
          .trace = config.common.log_level == "debug",
          .next_epoch = [epochs] { return epochs->Next(); }};
}

int PrintInterfaces() {
  std::printf("%-16s %-10s %-12s %-12s %s\n", "INTERFACE", "STATE", "SPEED", "LINK TYPE", "ADDRESSES");
  for (const pcap::InterfaceInfo& info : pcap::ListInterfaces()) {
    const char* state = !info.up ? "down" : info.carrier ? "up" : "no carrier";
    std::printf("%-16s %-10s %-12s %-12s %s\n", info.name.c_str(), state, SpeedText(info).c_str(),
                info.link_type.c_str(), base::Join(info.addresses).c_str());
  }
  return app::kOk;
}

namespace {

/// "tcp 1,234, udp 56", the kinds that there were.
std::string Kinds(const CaptureSummary& summary) {
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < packet::kKinds; ++i) {
    if (summary.by_kind[i] == 0) continue;
    kinds.push_back(std::string(packet::Name(static_cast<packet::Kind>(i))) + ' ' +
                    base::Grouped(summary.by_kind[i]));
  }
  return base::Join(kinds);
}

}  // namespace

int PrintSummary(const CaptureConfig& config, const CaptureSummary& summary, const base::Log& log) {
  const packet::SourceCounters& packets = summary.packets;
  const double rate = static_cast<double>(packets.published) / std::max(summary.seconds, 1e-9);
  log(base::LogLevel::kInfo,
      config.SourceName() + ": received " + base::Grouped(packets.received) + " = published " +
          base::Grouped(packets.published) + " + filtered " + base::Grouped(packets.filtered) +
          " + dropped " + base::Grouped(packets.dropped()) + " + undecodable " +
          base::Grouped(packets.undecodable) + Unsent(summary, config) + Losses(packets) + "; " +
          base::Grouped(summary.links) + " links, " + base::Grouped(summary.batches) + " batches, " +
          base::Short(static_cast<double>(summary.bytes)) + "B, " + base::Short(rate) +
          " packets/s, out of order " + base::Grouped(summary.out_of_order));
  if (packets.published > 0) log(base::LogLevel::kInfo, "by kind: " + Kinds(summary));
  if (const std::string disorder = Disorder(summary, config); !disorder.empty())
    log(base::LogLevel::kWarning, disorder);
  if (summary.inherited > 0) {
    log(base::LogLevel::kWarning,
        base::Grouped(summary.inherited) + " packets of an earlier run still wait in the spool");
  }
  if (packets.received == 0)
    log(base::LogLevel::kWarning, "no packet came; is it the right file, interface or filter?");
  if (!summary.complaint.empty()) log(base::LogLevel::kWarning, summary.complaint);
  return summary.failed ? app::kFailed : app::kOk;
}

}  // namespace flowcast::services
