// Which link a packet belongs to.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/base/ip_address.h"
#include "libs/base/network_map.h"
#include "libs/packet/packet.h"

namespace flowcast::capture {

enum class LinkBy {
  kInterface,  // SOURCE/eth0
  kVlan,       // SOURCE/eth0.10, by the outermost tag; SOURCE/eth0 without one
  kSubnet,     // SOURCE/lab: the network with the longest match to either address; SOURCE/other
  kHost,       // SOURCE/10.1.2.3: the home net's end, the source when both are; SOURCE/other
};

/// "interface", "vlan", "subnet" or "host"; throws base::ConfigError.
LinkBy ParseLinkBy(const std::string& text);

struct LinkOptions {
  LinkBy by = LinkBy::kInterface;
  base::NetworkMap subnets;   // kSubnet
  base::CidrSet home_net;     // kHost
  std::size_t most = 65'536;  // further ones are SOURCE/other, so that a scan can't fill the memory
};

/// Replaces an address, such as by a keyed mapping; empty: they stay.
using AddressMapping = std::function<base::IpAddress(const base::IpAddress&)>;

/// Numbers links in the order in which they appear. A packet is on one link: a function of its
/// interface, VLAN tag and addresses. Not thread-safe.
class LinkNamer {
 public:
  LinkNamer(std::string source, LinkOptions options, AddressMapping anonymize);

  /// `interfaces` are the names that the packet's interface points into. Addresses decide as they
  /// are; a host's name shows its mapped one.
  std::uint32_t LinkOf(const packet::Packet& packet, const std::vector<std::string>& interfaces);
  const std::string& name(std::uint32_t link) const { return names_[link]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::string NameFor(const packet::Packet& packet, const std::vector<std::string>& interfaces) const;
  std::string SubnetOf(const packet::FlowKey& flow) const;
  std::string HostOf(const packet::FlowKey& flow) const;
  std::string AddressName(const base::IpAddress& address) const;
  std::uint32_t NumberOf(const std::string& name);
  std::uint32_t Find(const std::string& name);
  std::uint32_t LinkOfInterface(std::size_t interface, const std::string& name);

  std::string source_;
  LinkOptions options_;
  AddressMapping anonymize_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  /// Without a VLAN, host or subnet to tell, a packet need not be named to be known.
  std::vector<std::pair<std::string, std::uint32_t>> by_interface_;
};

}  // namespace flowcast::capture
