// libpcap's calls for one interface, and its errors in words that help.
#include "libs/pcap/internal/capture_handle.h"

#include <algorithm>
#include <climits>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/pcap/internal/interface_state.h"

namespace flowcast::pcap::internal {
namespace {

std::string PathOfThisProgram() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "PROGRAM" : path.string();
}

int Milliseconds(base::Duration duration) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::clamp<std::int64_t>(whole, 1, INT_MAX));
}

std::string WhyNotActive(const std::string& name, int status, pcap_t* handle) {
  // Without the permission libpcap does not get as far as to look for the interface.
  if (status == PCAP_ERROR_NO_SUCH_DEVICE || !InterfaceExists(name)) {
    return "interface " + name + " does not exist; there are: " + InterfaceNames();
  }
  if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED) {
    return "no permission to capture on interface " + name + "; allow it with: sudo setcap cap_net_raw=eip " +
           PathOfThisProgram();
  }
  if (status == PCAP_ERROR_IFACE_NOT_UP) {
    return "interface " + name + " is down; bring it up with: sudo ip link set " + name + " up";
  }
  const std::string detail = pcap_geterr(handle);
  return "interface " + name +
         " can't be captured from: " + (detail.empty() ? pcap_statustostr(status) : detail);
}

}  // namespace

CaptureHandle::CaptureHandle(const std::string& name, std::uint16_t index, const LiveOptions& options)
    : name_(name), index_(index), tunnels_(options.tunnels), interface_number_(LookAt(name).index) {
  char error[PCAP_ERRBUF_SIZE] = "";
  handle_.reset(pcap_create(name.c_str(), error));
  if (handle_ == nullptr) throw base::ConfigError("interface " + name + " can't be opened: " + error);
  Configure(options);
  Activate();
  // Also an empty one: it is what makes the kernel cut packets before it copies them.
  const auto own = options.interface_filters.find(name);
  SetFilter(own == options.interface_filters.end() ? options.filter : own->second);
}

void CaptureHandle::Configure(const LiveOptions& options) {
  pcap_t* handle = handle_.get();
  pcap_set_snaplen(handle, options.snap_length_bytes);
  pcap_set_promisc(handle, options.promiscuous ? 1 : 0);
  pcap_set_buffer_size(handle, options.ring_bytes);
  pcap_set_timeout(handle, Milliseconds(options.block_timeout));
  pcap_set_immediate_mode(handle, 0);
  if (pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0) nanoseconds_per_tick_ = 1;
}

void CaptureHandle::Activate() {
  pcap_t* handle = handle_.get();
  const int status = pcap_activate(handle);
  if (status < 0) throw base::ConfigError(WhyNotActive(name_, status, handle));
  char error[PCAP_ERRBUF_SIZE] = "";
  if (pcap_setnonblock(handle, 1, error) != 0) {
    throw base::ConfigError("interface " + name_ + " can't be read without waiting: " + error);
  }
  link_type_ = static_cast<packet::LinkType>(pcap_datalink(handle));
  descriptor_ = pcap_get_selectable_fd(handle);
  if (!packet::IsDecodable(link_type_) || descriptor_ < 0) {
    throw base::ConfigError("interface " + name_ + " has link type " + std::to_string(pcap_datalink(handle)) +
                            ", which flowcast does not know; there are: " + InterfaceNames());
  }
}

void CaptureHandle::SetFilter(const std::string& expression) {
  const FilterProgram program(handle_.get(), expression);
  if (pcap_setfilter(handle_.get(), program.get()) != 0) {
    throw base::ConfigError("interface " + name_ +
                            " does not take the filter: " + pcap_geterr(handle_.get()));
  }
}

std::size_t CaptureHandle::Take(std::size_t limit, std::vector<packet::Packet>& packets) {
  const std::uint64_t before = taken_;
  packets_ = &packets;
  const int count = static_cast<int>(std::min<std::size_t>(limit, INT_MAX));
  if (pcap_dispatch(handle_.get(), count, OnFrame, reinterpret_cast<u_char*>(this)) < 0) {
    failure_ = pcap_geterr(handle_.get());
    if (failure_.empty()) failure_ = "libpcap says not why";
  }
  return static_cast<std::size_t>(taken_ - before);
}

void CaptureHandle::OnFrame(u_char* self, const pcap_pkthdr* header, const u_char* bytes) {
  reinterpret_cast<CaptureHandle*>(self)->Keep(*header, bytes);
}

void CaptureHandle::Keep(const pcap_pkthdr& header, const u_char* bytes) {
  ++taken_;
  newest_ = base::FromUnixNanoseconds(std::int64_t{header.ts.tv_sec} * 1'000'000'000 +
                                      std::int64_t{header.ts.tv_usec} * nanoseconds_per_tick_);
  packet::Packet& packet = packets_->emplace_back();
  if (!packet::Decode(link_type_, {reinterpret_cast<const std::byte*>(bytes), header.caplen}, packet,
                      tunnels_)) {
    packets_->pop_back();
    ++undecodable_;
    return;
  }
  packet.time = newest_;
  packet.wire_length_bytes = header.len;
  packet.interface = index_;
}

CaptureHandle::Drops CaptureHandle::ReadDrops() {
  pcap_stat now{};
  if (pcap_stats(handle_.get(), &now) != 0) return drops_;
  drops_.kernel += now.ps_drop - last_.ps_drop;
  // libpcap reads this one from the interface, whose count begins anew when it is made again.
  const bool went_back = static_cast<std::int32_t>(now.ps_ifdrop - last_.ps_ifdrop) < 0;
  if (!went_back) drops_.interface += now.ps_ifdrop - last_.ps_ifdrop;
  last_ = now;
  return drops_;
}

}  // namespace flowcast::pcap::internal
