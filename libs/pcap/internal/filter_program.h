// Owners of libpcap's objects.
#pragma once

#include <pcap/pcap.h>

#include <memory>
#include <string>

#include "libs/base/error.h"

namespace flowcast::pcap::internal {

struct CloseHandle {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, CloseHandle>;

class FilterProgram {
 public:
  /// Throws base::ConfigError with libpcap's own words.
  FilterProgram(pcap_t* handle, const std::string& expression) {
    auto program = std::make_unique<bpf_program>();
    if (pcap_compile(handle, program.get(), expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      throw base::ConfigError("filter '" + expression + "' does not compile: " + pcap_geterr(handle) +
                              "; its syntax is that of tcpdump (man pcap-filter)");
    }
    program_.reset(program.release());
  }
  bpf_program* get() const { return program_.get(); }

 private:
  struct Free {
    void operator()(bpf_program* program) const {
      pcap_freecode(program);
      delete program;
    }
  };
  std::unique_ptr<bpf_program, Free> program_;
};

}  // namespace flowcast::pcap::internal
