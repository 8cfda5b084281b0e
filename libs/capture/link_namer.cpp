// Names of links, qualified by the source.
#include "libs/capture/link_namer.h"

#include <utility>

#include "libs/base/error.h"

namespace flowcast::capture {
namespace {
constexpr const char* kOther = "other";
}

LinkBy ParseLinkBy(const std::string& text) {
  if (text == "interface") return LinkBy::kInterface;
  if (text == "vlan") return LinkBy::kVlan;
  if (text == "subnet") return LinkBy::kSubnet;
  if (text == "host") return LinkBy::kHost;
  throw base::ConfigError("links can't be told apart by '" + text +
                          "'; there are: interface, vlan, subnet, host");
}

LinkNamer::LinkNamer(std::string source, LinkOptions options, AddressMapping anonymize)
    : source_(std::move(source)), options_(std::move(options)), anonymize_(std::move(anonymize)) {}

std::uint32_t LinkNamer::LinkOf(const packet::Packet& packet, const std::vector<std::string>& interfaces) {
  if (options_.by == LinkBy::kInterface)
    return LinkOfInterface(packet.interface, interfaces[packet.interface]);
  return Find(NameFor(packet, interfaces));
}

/// A later file may have another interface in that place.
std::uint32_t LinkNamer::LinkOfInterface(std::size_t interface, const std::string& name) {
  if (interface >= by_interface_.size()) by_interface_.resize(interface + 1);
  auto& [known, number] = by_interface_[interface];
  if (known != name || name.empty()) {
    number = Find(name);
    known = name;
  }
  return number;
}

std::uint32_t LinkNamer::Find(const std::string& name) {
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return known->second;
  // The last one is kept for what has no link of its own.
  return NumberOf(names_.size() + 1 < options_.most ? name : kOther);
}

std::uint32_t LinkNamer::NumberOf(const std::string& name) {
  const auto [position, added] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (added) names_.push_back(source_ + "/" + name);
  return position->second;
}

std::string LinkNamer::NameFor(const packet::Packet& packet,
                               const std::vector<std::string>& interfaces) const {
  switch (options_.by) {
    case LinkBy::kVlan:
      if (packet.vlan != 0) return interfaces[packet.interface] + "." + std::to_string(packet.vlan);
      break;
    case LinkBy::kSubnet:
      return SubnetOf(packet.flow);
    case LinkBy::kHost:
      return HostOf(packet.flow);
    case LinkBy::kInterface:
      break;
  }
  return interfaces[packet.interface];
}

std::string LinkNamer::SubnetOf(const packet::FlowKey& flow) const {
  const auto source = options_.subnets.Find(flow.source);
  const auto destination = options_.subnets.Find(flow.destination);
  const auto& longer = destination.prefix_bits > source.prefix_bits ? destination : source;
  return longer.name == nullptr ? kOther : *longer.name;
}

std::string LinkNamer::HostOf(const packet::FlowKey& flow) const {
  if (options_.home_net.Contains(flow.source)) return AddressName(flow.source);
  if (options_.home_net.Contains(flow.destination)) return AddressName(flow.destination);
  return kOther;
}

std::string LinkNamer::AddressName(const base::IpAddress& address) const {
  return base::FormatIpAddress(anonymize_ ? anonymize_(address) : address);
}

}  // namespace flowcast::capture
