// Options of the capture and what they default to.
#include "services/capture/capture_config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/base/hash.h"
#include "libs/packet/tunnels.h"
#include "services/capture/capture_metrics.h"

namespace flowcast::services {

namespace {

void AddLinkOptions(CLI::App& app, CaptureConfig& config) {
  app.add_option("--link-by", config.link_by,
                 "what a link is: interface, vlan, subnet (--subnet) or host (of --home-net)")
      ->capture_default_str();
  app.add_option("--subnet", config.subnets,
                 "a network that is a link, 10.1.0.0/16 or 10.1.0.0/16=NAME; the longest match to either "
                 "address counts; may be repeated");
  app.add_option(
      "--decapsulate", config.decapsulate,
      "tunnels to look into: any of gre,vxlan,gtp,ipip,geneve, or all; the packet inside counts, its "
      "length is the outer one's");
  app.add_option("--most-links", config.most_links, "what is on further links counts as SOURCE/other")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
}

void AddSpoolOptions(CLI::App& app, CaptureConfig& config) {
  app.add_option("--spool", config.spool,
                 "folder for what Kafka has not acknowledged of a live capture [$STATE_DIRECTORY, else "
                 "/var/lib/flowcast-capture for root, else flowcast-capture in $XDG_STATE_HOME, else in "
                 "~/.local/state]");
  app.add_option("--spool-mib", config.spool_mib,
                 "largest size of the spool; 0: none, what Kafka's queue "
                 "does not take is dropped")
      ->capture_default_str()
      ->check(CLI::Range(0, 1 << 20));
  app.add_flag("--spool-sync", config.spool_sync,
               "force each batch to the disk, to survive a power failure too; slow");
}

std::string Join(const std::vector<std::string>& parts) {
  std::string joined;
  for (const std::string& part : parts) joined += part + '\n';
  return joined;
}

}  // namespace

void AddRecordingOptions(CLI::App& app, CaptureConfig& config) {
  app.add_option("--filter", config.filter, "a BPF filter, such as 'tcp port 443'");
  app.add_option("--source", config.source,
                 "name of this source; links are named SOURCE/INTERFACE [the file's or host's name]");
  AddLinkOptions(app, config);
  app.add_option("--reorder-tolerance", config.reorder_tolerance,
                 "how far time stamps may go back [1s for files, 50ms live]");
}

void AddCaptureOptions(CLI::App& app, CaptureConfig& config) {
  auto* pcap =
      app.add_option("--pcap", config.pcap,
                     "a capture file (pcap or pcapng, also in gzip or zstd; - is standard input) or a "
                     "folder of them; may be repeated: they are read in order of time");
  app.add_option("--interface,-i", config.interfaces, "a live interface; may be repeated")->excludes(pcap);
  app.add_flag("--list-interfaces", config.list_interfaces, "list the interfaces and exit");
  app.add_option(
      "--interface-filter", config.interface_filters,
      "INTERFACE=EXPRESSION: a BPF filter for that interface in place of --filter; may be repeated");
  app.add_option("--speed", config.speed,
                 "replay of a file: max, or a factor of its own speed: 1x, 10x, 0.5x")
      ->capture_default_str();
  app.add_flag("--loop", config.loop, "start a file over at its end, for ever; event time goes on");
  app.add_option("--rebase-time", config.rebase_time,
                 "now: time stamps are moved so that a file begins at the present time");
  AddRecordingOptions(app, config);
  app.add_option("--home-net", config.home_net,
                 "networks of one's own, such as 10.0.0.0/8: tells uplink from downlink");
  app.add_option(
      "--anonymize", config.anonymize_key,
      "replace addresses, keeping prefixes, by the 32-byte key in this file: (umask 077; head -c 32 "
      "/dev/urandom > FILE) makes one");
  app.add_option("--snaplen", config.snap_length_bytes, "bytes kept of a live packet, before decoding")
      ->capture_default_str()
      ->check(CLI::Range(64, 65535));
  app.add_option("--ring-mib", config.ring_mib, "size of the kernel's ring of an interface")
      ->capture_default_str()
      ->check(CLI::Range(1, 2047));
  app.add_flag("--promiscuous,!--no-promiscuous", config.promiscuous, "see packets for others too")
      ->capture_default_str();
  app.add_option("--user", config.user,
                 "who to become once the interfaces are open [nobody when started as root]");
  app.add_flag("--drop-all", config.drop_all,
               "give up CAP_NET_RAW too; an interface that is deleted then ends the capture");
  app.add_option("--batch-packets", config.batch_packets, "most packets a batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app.add_option("--batch-kib", config.batch_kib, "largest batch, before compression")
      ->capture_default_str()
      ->check(CLI::Range(16, 900));
  AddSpoolOptions(app, config);
  config.common.describe = [] { return CaptureMetrics().Describe(); };
  AddCommonOptions(app, config.common);
}

void CaptureConfig::Check() const {
  if (pcap.empty() && interfaces.empty()) {
    throw base::ConfigError(
        "nothing to capture; name a file with --pcap or an interface with --interface (--list-interfaces "
        "shows them)");
  }
  const bool is_paced = SpeedFactor() != 0;
  if (is_live() && (is_paced || loop || !rebase_time.empty())) {
    throw base::ConfigError(
        "--speed, --loop and --rebase-time are for capture files; leave them out with --interface");
  }
  const bool has_stdin = std::ranges::find(pcap, "-") != pcap.end();
  if (has_stdin && (pcap.size() > 1 || loop))
    throw base::ConfigError("standard input can be read once and alone; leave out --loop and other files");
  if (!rebase_time.empty() && !rebases())
    throw base::ConfigError("--rebase-time '" + rebase_time + "' is unknown; write now, or leave it out");
  ReorderTolerance();
  packet::Tunnels::Parse(decapsulate);
  if ((!user.empty() || drop_all) && !is_live())
    throw base::ConfigError(
        "--user and --drop-all are for live interfaces; leave them out with a capture file");
  if (!InterfaceFilters().empty() && !is_live())
    throw base::ConfigError("--interface-filter is for live interfaces; use --filter with a capture file");
  CheckLinks();
}

void CaptureConfig::CheckLinks() const {
  const capture::LinkOptions links = Links();
  if (links.by == capture::LinkBy::kSubnet && links.subnets.empty())
    throw base::ConfigError("--link-by subnet needs the networks: --subnet 10.1.0.0/16=lab, once each");
  if (links.by != capture::LinkBy::kSubnet && !links.subnets.empty())
    throw base::ConfigError("--subnet is for --link-by subnet; add that, or leave the networks out");
  if (links.by == capture::LinkBy::kHost && links.home_net.empty())
    throw base::ConfigError("--link-by host needs to know which hosts: --home-net 10.0.0.0/8");
}

capture::LinkOptions CaptureConfig::Links() const {
  return {.by = capture::ParseLinkBy(link_by),
          .subnets = base::NetworkMap(subnets),
          .home_net = base::CidrSet(home_net),
          .most = most_links};
}

capture::BatcherOptions CaptureConfig::Batches() const {
  capture::BatcherOptions options;
  options.source = SourceName();
  options.batch_packets = batch_packets;
  options.batch_bytes = batch_kib << 10;
  options.reorder_tolerance = ReorderTolerance();
  options.links = Links();
  options.home_net = base::CidrSet(home_net);
  return options;
}

std::uint64_t CaptureConfig::Settings() const {
  return base::Fnv1a64(filter + '\n' + link_by + '\n' + std::to_string(most_links) + '\n' + Join(subnets) +
                       '\n' + Join(home_net) + '\n' + decapsulate);
}

std::map<std::string, std::string> CaptureConfig::InterfaceFilters() const {
  std::map<std::string, std::string> filters;
  for (const std::string& text : interface_filters) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw base::ConfigError("--interface-filter '" + text +
                              "' names no interface; write it like eth0=tcp port 443");
    if (!filters.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      throw base::ConfigError("--interface-filter is given twice for interface " + text.substr(0, equals) +
                              "; join the two with 'and' or 'or'");
  }
  return filters;
}

double CaptureConfig::SpeedFactor() const {
  if (speed == "max") return 0;
  try {
    std::size_t used = 0;
    const double factor = std::stod(speed, &used);
    if (factor > 0 && factor <= 1e6 && speed.substr(used) == "x") return factor;
  } catch (const std::exception&) {
  }
  throw base::ConfigError("--speed '" + speed + "' is no speed; write max, or a factor like 1x, 10x or 0.5x");
}

std::string CaptureConfig::SourceName() const {
  if (!source.empty()) return source;
  if (!pcap.empty()) {
    if (pcap.front() == "-") return "stdin";
    const std::string name = std::filesystem::path(pcap.front()).lexically_normal().filename().string();
    return name.empty() ? "capture" : name.substr(0, name.find('.', 1));
  }
  char host[256] = "host";
  gethostname(host, sizeof host - 1);
  return host;
}

bool CaptureConfig::FollowsPipe() const {
  if (pcap.size() != 1 || loop || rebases() || SpeedFactor() != 0) return false;
  std::error_code missing;
  return pcap.front() == "-" || std::filesystem::is_fifo(pcap.front(), missing);
}

base::Duration CaptureConfig::ReorderTolerance() const {
  if (!reorder_tolerance.empty()) return base::ParseDuration(reorder_tolerance);
  return is_live() ? std::chrono::milliseconds(50) : std::chrono::milliseconds(1000);
}

}  // namespace flowcast::services
