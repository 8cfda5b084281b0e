// Live interfaces and BPF filters; the only includer of libpcap.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/log.h"
#include "libs/capture/file_source.h"
#include "libs/capture/packet_source.h"
#include "libs/packet/decoder.h"
#include "libs/packet/tunnels.h"

namespace flowcast::pcap {

struct LiveOptions {
  std::vector<std::string> interfaces;                   // one or more
  std::string filter;                                    // BPF, empty for all
  std::map<std::string, std::string> interface_filters;  // by interface, in place of `filter`
  packet::Tunnels tunnels;
  int snap_length_bytes = 128;
  int ring_bytes = 64 << 20;  // of each interface
  bool promiscuous = true;
  base::Duration block_timeout = std::chrono::milliseconds(50);
  /// Whether an interface that was deleted is opened again once it is back, which takes CAP_NET_RAW.
  bool keep_reopening = true;
  base::Log log;  // told when an interface goes away and comes back; may be empty
};

/// Opens the interfaces through libpcap (TPACKET_V3, nanoseconds, immediate mode off; the kernel cuts
/// packets to the snap length before they enter the ring). Throws base::ConfigError: an unknown
/// interface ("interface eth9 does not exist; there are: eth0, lo"), one that is down, one named
/// twice, no permission (names the setcap line), a filter that does not compile (says where) or that
/// is for an interface not named.
///
/// An interface that goes down later, or is deleted, is waited for: looked for once a second in Poll
/// while the others go on, its counts kept, the bound not held back. What its ring holds is handed
/// over first. Without keep_reopening a deleted interface ends the source, which then complains.
///
/// received counts packets handed over and dropped ones, not those still in the ring or kept out by
/// the filter, which is applied in the kernel and uncounted there. `clock` must be the one that stamps
/// packets (the host's wall clock) and outlive the source.
std::unique_ptr<capture::PacketSource> OpenLive(const LiveOptions& options, base::Clock& clock);

struct InterfaceInfo {
  std::string name;
  std::string description;
  std::vector<std::string> addresses;
  bool up = false;
  bool carrier = false;           // a cable, or a peer that is up; only where it is up itself
  std::int64_t speed_mbit_s = 0;  // 0 when it is not known
  std::string link_type;          // "EN10MB"; "?" without the permission to open it, or while it is down
};
/// Network interfaces, in order of their names. Needs no permission.
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

/// One filter an interface of a capture file; empty for an empty expression. Throws base::ConfigError when it
/// compiles for no link type, and so does the factory when it does not for an interface's.
capture::FrameFilterFactory FileFilters(const std::string& expression);

}  // namespace flowcast::pcap
