// Which interfaces there are, for messages.
#pragma once

#include <string>

namespace flowcast::pcap::internal {

bool InterfaceExists(const std::string& name);
/// "eth0, lo", in order of the alphabet.
std::string InterfaceNames();

}  // namespace flowcast::pcap::internal
