// Live interfaces and BPF filters; the only includer of libpcap.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/capture/packet_source.h"
#include "libs/packet/decoder.h"

namespace flowcast::pcap {

struct LiveOptions {
  std::vector<std::string> interfaces;  // one or more
  std::string filter;                   // BPF, empty for all
  int snap_length_bytes = 128;
  int ring_bytes = 64 << 20;
  bool promiscuous = true;
  base::Duration block_timeout = std::chrono::milliseconds(50);
};

/// Opens the interfaces through libpcap (TPACKET_V3, nanoseconds, immediate mode off). Throws
/// base::ConfigError: an unknown interface ("interface eth9 does not exist; there are: eth0, lo"),
/// no permission (names the setcap line), a filter that does not compile (says where).
/// When one interface vanishes the source gives what the rings hold, complains, and ends.
/// received counts packets handed over and dropped ones, not those still in the ring or kept out by
/// the filter in the kernel. `clock` must be the one that stamps packets (the host's wall clock) and
/// outlive the source.
std::unique_ptr<capture::PacketSource> OpenLive(const LiveOptions& options, base::Clock& clock);

struct InterfaceInfo {
  std::string name;
  std::string description;
  std::vector<std::string> addresses;
  bool up = false;
  std::string link_type;  // "EN10MB"; "?" without the permission to open it
};
/// Network interfaces, in order of their names.
std::vector<InterfaceInfo> ListInterfaces();

/// A compiled BPF filter for frames from files. Not thread-safe.
class Filter {
 public:
  /// Throws base::ConfigError with libpcap's own words when `expression` does not compile.
  Filter(const std::string& expression, packet::LinkType link_type, int snap_length_bytes);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  bool Matches(std::span<const std::byte> frame, std::uint32_t wire_length_bytes) const;

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace flowcast::pcap
