// Which interfaces there are, and how they are.
#pragma once

#include <string>

namespace flowcast::pcap::internal {

struct InterfaceState {
  int index = 0;  // the kernel's number, another one after it was deleted and made again; 0: not there
  bool up = false;
};
/// Needs no permission.
InterfaceState LookAt(const std::string& name);

bool InterfaceExists(const std::string& name);
/// "eth0, lo", in order of the alphabet.
std::string InterfaceNames();

}  // namespace flowcast::pcap::internal
