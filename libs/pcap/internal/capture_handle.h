// One interface being captured from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libs/pcap/internal/filter_program.h"
#include "libs/pcap/live_source.h"

namespace flowcast::pcap::internal {

class CaptureHandle {
 public:
  /// Opens the interface; throws as OpenLive. Packets will carry `index`.
  CaptureHandle(const std::string& name, std::uint16_t index, const LiveOptions& options);
  CaptureHandle(const CaptureHandle&) = delete;
  CaptureHandle& operator=(const CaptureHandle&) = delete;

  /// Takes up to `limit` packets out of the ring without waiting; the number of frames taken,
  /// decodable or not. A failed one still gives what is left in its ring: what the kernel was
  /// filling last comes within the block time-out.
  std::size_t Take(std::size_t limit, std::vector<packet::Packet>& packets);

  /// The kernel's number of the interface that was opened.
  int interface_number() const { return interface_number_; }
  /// To wait on until the ring may hold something.
  int descriptor() const { return descriptor_; }
  /// Why nothing more will get into the ring, in libpcap's words; empty while all is well.
  const std::string& failure() const { return failure_; }
  /// Of the last packet taken.
  base::EventTime newest() const { return newest_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t undecodable() const { return undecodable_; }

  struct Drops {
    std::uint64_t kernel = 0;
    std::uint64_t interface = 0;
  };
  /// Since the start. libpcap's 32-bit counters are followed from call to call.
  Drops ReadDrops();

 private:
  static void OnFrame(u_char* self, const pcap_pkthdr* header, const u_char* bytes);
  void Keep(const pcap_pkthdr& header, const u_char* bytes);
  void Configure(const LiveOptions& options);
  void Activate();
  void SetFilter(const std::string& expression);

  std::string name_;
  std::uint16_t index_;
  packet::Tunnels tunnels_;
  Handle handle_;
  packet::LinkType link_type_{};
  std::int64_t nanoseconds_per_tick_ = 1000;
  int interface_number_ = 0;
  int descriptor_ = -1;
  std::vector<packet::Packet>* packets_ = nullptr;  // the caller's, during Take
  base::EventTime newest_ = base::kBeginningOfTime;
  std::uint64_t taken_ = 0;
  std::uint64_t undecodable_ = 0;
  pcap_stat last_{};
  Drops drops_;
  std::string failure_;
};

}  // namespace flowcast::pcap::internal
