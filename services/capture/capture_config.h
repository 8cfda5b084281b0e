// The options of flowcast-capture.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libs/app/app.h"
#include "libs/base/time.h"
#include "libs/capture/batcher.h"

namespace flowcast::services {

struct CaptureConfig {
  app::CommonOptions common{.http = "127.0.0.1:9471"};
  std::vector<std::string> pcap;  // files and folders
  std::vector<std::string> interfaces;
  bool list_interfaces = false;
  std::string filter;
  std::vector<std::string> interface_filters;  // each "INTERFACE=EXPRESSION"
  std::string source;
  std::string speed = "max";
  bool loop = false;
  std::string rebase_time;
  std::string link_by = "interface";
  std::vector<std::string> subnets;
  std::size_t most_links = 65'536;
  std::vector<std::string> home_net;
  std::string decapsulate;
  std::string anonymize_key;  // path of the key's file; empty: addresses stay
  std::string reorder_tolerance;
  int snap_length_bytes = 128;
  int ring_mib = 64;
  bool promiscuous = true;
  std::string user;  // empty: nobody when it was started as root
  bool drop_all = false;
  std::size_t batch_packets = 8192;
  std::size_t batch_kib = 512;
  std::string spool;  // empty: DefaultSpool
  std::size_t spool_mib = 1024;
  bool spool_sync = false;

  /// Throws base::ConfigError for options that contradict each other.
  void Check() const;
  /// 0 for "max".
  double SpeedFactor() const;
  /// The source's name: --source, else the first file's name up to its first dot, else the host's name.
  std::string SourceName() const;
  base::Duration ReorderTolerance() const;
  capture::LinkOptions Links() const;
  /// All of them but who else decides on: epoch, settings, partitions, anonymize.
  capture::BatcherOptions Batches() const;
  /// Fingerprint of the options that decide which packets there are and what is said of them.
  std::uint64_t Settings() const;
  bool rebases() const { return rebase_time == "now"; }
  /// By interface. Throws base::ConfigError for one without a name or given twice.
  std::map<std::string, std::string> InterfaceFilters() const;
  bool is_live() const { return !interfaces.empty(); }
  /// A single file that is standard input or a named pipe, read as it comes.
  bool FollowsPipe() const;

 private:
  void CheckLinks() const;
};

void AddCaptureOptions(CLI::App& app, CaptureConfig& config);
/// Of these, what decides which packets of a recording there are and which links they are on: --filter,
/// --source,
/// --link-by, --subnet, --most-links, --decapsulate, --reorder-tolerance.
void AddRecordingOptions(CLI::App& app, CaptureConfig& config);

}  // namespace flowcast::services
