// Options of the capture and what they default to.
#include "services/capture/capture_config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "libs/base/error.h"

namespace flowcast::services {

void AddCaptureOptions(CLI::App& app, CaptureConfig& config) {
  auto* pcap = app.add_option("--pcap", config.pcap,
                              "a capture file: pcap or pcapng, also in gzip or zstd; - is standard input");
  app.add_option("--interface,-i", config.interfaces, "a live interface; may be repeated")->excludes(pcap);
  app.add_flag("--list-interfaces", config.list_interfaces, "list the interfaces and exit");
  app.add_option("--filter", config.filter, "a BPF filter, such as 'tcp port 443'");
  app.add_option(
      "--interface-filter", config.interface_filters,
      "INTERFACE=EXPRESSION: a BPF filter for that interface in place of --filter; may be repeated");
  app.add_option("--source", config.source,
                 "name of this source; links are named SOURCE/INTERFACE [the file's or host's name]");
  app.add_option("--speed", config.speed,
                 "replay of a file: max, or a factor of its own speed: 1x, 10x, 0.5x")
      ->capture_default_str();
  app.add_option("--reorder-tolerance", config.reorder_tolerance,
                 "how far time stamps may go back [1s for files, 50ms live]");
  app.add_option("--snaplen", config.snap_length_bytes, "bytes kept of a live packet, before decoding")
      ->capture_default_str()
      ->check(CLI::Range(64, 65535));
  app.add_option("--ring-mib", config.ring_mib, "size of the kernel's ring of an interface")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_flag("--promiscuous,!--no-promiscuous", config.promiscuous, "see packets for others too")
      ->capture_default_str();
  app.add_option("--user", config.user,
                 "who to become once the interfaces are open [nobody when started as root]");
  app.add_flag("--drop-all", config.drop_all,
               "give up CAP_NET_RAW too; an interface that is deleted then ends the capture");
  app.add_option("--batch-packets", config.batch_packets, "most packets a batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  AddCommonOptions(app, config.common);
}

void CaptureConfig::Check() const {
  if (pcap.empty() && interfaces.empty()) {
    throw base::ConfigError(
        "nothing to capture; name a file with --pcap or an interface with --interface (--list-interfaces "
        "shows them)");
  }
  if (SpeedFactor() != 0 && is_live())
    throw base::ConfigError("--speed is for capture files; leave it out with --interface");
  ReorderTolerance();
  if ((!user.empty() || drop_all) && !is_live())
    throw base::ConfigError(
        "--user and --drop-all are for live interfaces; leave them out with a capture file");
  if (!InterfaceFilters().empty() && !is_live())
    throw base::ConfigError("--interface-filter is for live interfaces; use --filter with a capture file");
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
  if (pcap == "-") return "stdin";
  if (!pcap.empty()) {
    const std::string name = std::filesystem::path(pcap).filename().string();
    return name.substr(0, name.find('.', 1));
  }
  char host[256] = "host";
  gethostname(host, sizeof host - 1);
  return host;
}

base::Duration CaptureConfig::ReorderTolerance() const {
  if (!reorder_tolerance.empty()) return base::ParseDuration(reorder_tolerance);
  return is_live() ? std::chrono::milliseconds(50) : std::chrono::milliseconds(1000);
}

}  // namespace flowcast::services
