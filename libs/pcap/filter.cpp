// BPF over frames that did not come through libpcap.
#include <pcap/pcap.h>

#include <utility>

#include "libs/base/error.h"
#include "libs/pcap/internal/filter_program.h"
#include "libs/pcap/live_source.h"

namespace flowcast::pcap {
namespace {

constexpr int kWholeBytes = 262'144;

// What libpcap calls a link type in memory differs from its number in files for raw IP alone.
int InMemory(packet::LinkType link_type) {
  return link_type == packet::LinkType::kRaw ? DLT_RAW : static_cast<int>(link_type);
}

/// A pcapng file tells its link types only as it is read; what compiles for none is known at the start.
void RequireCompiles(const std::string& expression) {
  try {
    Filter(expression, packet::LinkType::kEthernet, kWholeBytes);
  } catch (const base::ConfigError&) {
    Filter(expression, packet::LinkType::kRadiotap, kWholeBytes);
  }
}

}  // namespace

struct Filter::Program {
  internal::FilterProgram compiled;
};

Filter::Filter(const std::string& expression, packet::LinkType link_type, int snap_length_bytes) {
  const internal::Handle handle(pcap_open_dead(InMemory(link_type), snap_length_bytes));
  if (handle == nullptr) throw base::RuntimeError("libpcap can't compile filters: out of memory");
  program_ = std::make_unique<Program>(Program{internal::FilterProgram(handle.get(), expression)});
}

Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

bool Filter::Matches(std::span<const std::byte> frame, std::uint32_t wire_length_bytes) const {
  pcap_pkthdr header{};
  header.caplen = static_cast<bpf_u_int32>(frame.size());
  header.len = wire_length_bytes;
  return pcap_offline_filter(program_->compiled.get(), &header,
                             reinterpret_cast<const u_char*>(frame.data())) != 0;
}

capture::FrameFilterFactory FileFilters(const std::string& expression) {
  if (expression.empty()) return {};
  RequireCompiles(expression);
  return [expression](const capfile::Interface& interface) -> capture::FrameFilter {
    auto filter = std::make_shared<Filter>(expression, interface.link_type, kWholeBytes);
    return [filter](std::span<const std::byte> frame, std::uint32_t wire_length_bytes) {
      return filter->Matches(frame, wire_length_bytes);
    };
  };
}

}  // namespace flowcast::pcap
